/// The style sheet of reports.
enum ReportStyle {
  static let css = """
    :root {
      color-scheme: light dark;
      --page: #f6f7f9; --card: #ffffff; --text: #1b1f24; --soft: #5d6673; --line: #e2e6ec;
      --train: #2f6fde; --validation: #d9730d; --good: 22 140 80; --bad: 214 69 52;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #14171b; --card: #1c2026; --text: #e7eaee; --soft: #98a2b0; --line: #2d333c;
        --train: #6ea3ff; --validation: #f2a65a; --good: 46 160 100; --bad: 224 92 76;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--page); color: var(--text);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
    }
    main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
    h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
    h2 { font-size: 17px; margin: 0 0 12px; }
    p { margin: 0; }
    .soft { color: var(--soft); }
    .card {
      background: var(--card); border: 1px solid var(--line); border-radius: 12px;
      padding: 20px 22px; margin-top: 18px; overflow-x: auto;
    }
    .facts { display: grid; gap: 14px; margin-top: 24px;
      grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); }
    .facts .card { margin: 0; padding: 16px 18px; }
    .facts .value { font-size: 25px; font-weight: 650; line-height: 1.25; white-space: nowrap; }
    .facts .name, .facts .note { color: var(--soft); font-size: 13px; }
    .columns { display: grid; gap: 18px; margin-top: 18px; align-items: start;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); }
    .columns .card { margin: 0; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--line); }
    tbody tr:last-child > * { border-bottom: 0; }
    th { font-weight: 500; }
    thead th { color: var(--soft); font-size: 13px; }
    th[scope=row], thead th:first-child { text-align: left; }
    tr.best > * { background: rgb(var(--good) / 13%); }
    .tag { font-size: 12px; color: rgb(var(--good)); margin-left: 6px; font-weight: 600; }
    .settings th { color: var(--soft); width: 42%; }
    td { white-space: nowrap; }
    .settings td { white-space: normal; text-align: left; overflow-wrap: anywhere; }
    .beside { display: flex; flex-wrap: wrap; gap: 20px 48px; align-items: flex-end; }
    .errors { flex: 1; min-width: 280px; align-self: center; }
    .matrix { width: auto; font-size: 13px; }
    .matrix th, .matrix td { border: 0; padding: 4px 7px; min-width: 38px; }
    .matrix td { text-align: center; border: 1px solid var(--card); border-radius: 4px; }
    .matrix thead th { vertical-align: bottom; text-align: center; }
    .matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
    .matrix td.zero { color: var(--line); }
    .matrix td.hit { background: rgb(var(--good) / calc(var(--share) * 1%)); }
    .matrix td.miss { background: rgb(var(--bad) / calc(var(--share) * 1%)); }
    .matrix td.found { text-align: right; color: var(--soft); padding-left: 14px; }
    .chart { display: block; width: 100%; height: auto; }
    .chart text { fill: var(--soft); font-size: 12px; }
    .chart .title { fill: var(--text); font-size: 15px; font-weight: 600; }
    .chart .legend, .chart .tick.y { text-anchor: end; }
    .chart .tick.y { dominant-baseline: central; }
    .chart .tick.x, .chart .label { text-anchor: middle; }
    .chart .tick.mark { fill: rgb(var(--good)); font-weight: 600; }
    .chart path { fill: none; stroke: var(--line); }
    .chart path.axis { stroke: var(--soft); opacity: 0.6; }
    .chart path.mark { stroke: rgb(var(--good)); stroke-dasharray: 3 4; }
    .chart path.line { stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
    .chart path.train { stroke: var(--train); }
    .chart path.validation { stroke: var(--validation); }
    .chart circle { stroke: var(--card); stroke-width: 1.2; }
    .chart circle.train { fill: var(--train); }
    .chart circle.validation { fill: var(--validation); }
    footer { color: var(--soft); font-size: 13px; margin-top: 26px; }
    @media print { body { background: none; } .card { break-inside: avoid; } }
    """
}
