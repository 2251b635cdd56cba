/// Style sheets and the script of the page; nothing comes from elsewhere.
enum InspectionStyle {
  /// For the picture, alone or in the page.
  static let picture = """
    .network { --page: #ffffff; --ink: #1b1f24; --soft: #57606c; --line: #6b7480; --frame: #f1f4f8;
      --rim: #b9c2cd; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    .f-input { --c: #8d99a6; } .f-convolution { --c: #3b82d6; } .f-pooling { --c: #35a06b; }
    .f-normalization { --c: #9a6fd0; } .f-activation { --c: #f0a13a; } .f-dense { --c: #dd5a5a; }
    .f-merge { --c: #18a7b5; } .f-upsampling { --c: #6db33f; } .f-regularization { --c: #b07d54; }
    .f-shape { --c: #a9b2bc; }
    @media screen and (prefers-color-scheme: dark) {
      .network { --page: #1c2026; --ink: #e7eaee; --soft: #a3adba; --line: #8b95a3; --frame: #252b33;
        --rim: #465061; }
    }
    .network .page { fill: var(--page); }
    .network rect[class^="f-"], .network .body { fill: var(--c); }
    .network .body { stroke: var(--page); stroke-width: 1; stroke-linejoin: round; }
    .network .light { fill: #fff; fill-opacity: .38; } .network .shade { fill: #000; fill-opacity: .2; }
    .network .frame { fill: var(--frame); stroke: var(--rim); stroke-dasharray: 4 3; }
    .network .edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
    .network .tip { fill: var(--line); }
    .network text { fill: var(--soft); }
    .network .middle { text-anchor: middle; }
    .network .title { font-size: 28px; font-weight: 650; fill: var(--ink); }
    .network .fact { font-size: 15px; } .network .legend, .network .shape { font-size: 13px; }
    .network .name { font-size: 13px; font-weight: 600; fill: var(--ink); }
    .network .shape { fill: var(--ink); } .network .settings { font-size: 11px; }
    .network .layer { cursor: pointer; outline: none; }
    .network .layer:hover .body, .network .layer:focus .body, .network .chosen .body {
      stroke: var(--ink); stroke-width: 2.5; }
    @media print { .network { --page: #ffffff; } }
    """

  /// For the page around it.
  static let page = """
    :root { color-scheme: light dark; --back: #f4f6f8; --card: #ffffff; --text: #1b1f24; --soft: #57606c;
      --line: #dfe4ea; --mark: #d9480f; --sky: #e8eef5; }
    @media screen and (prefers-color-scheme: dark) {
      :root { --back: #14171b; --card: #1c2026; --text: #e7eaee; --soft: #a3adba; --line: #323945;
        --mark: #ff9254; --sky: #2a323d; }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--text);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    main { max-width: 1640px; margin: 0 auto; padding: 20px; }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
      padding: 16px 20px; margin-bottom: 16px; overflow-x: auto; }
    .picture { padding: 0; } .picture svg { display: block; margin: 0 auto; max-width: none; }
    .panel { position: sticky; bottom: 0; min-height: 236px; box-shadow: 0 -6px 24px rgb(0 0 0 / 12%); }
    .detail { display: flex; gap: 48px; justify-content: center; align-items: flex-start; }
    .detail[hidden] { display: none; }
    h2 { font-size: 19px; margin: 0 0 10px; } h3 { font-size: 21px; margin: 0 0 8px; }
    h3 small { font-size: 15px; font-weight: 400; color: var(--soft); margin-left: 8px; }
    dl { margin: 0; columns: 2 340px; column-gap: 36px; }
    dl div { display: flex; gap: 12px; break-inside: avoid; }
    dt { color: var(--soft); flex: 0 0 112px; } dd { margin: 0; font-variant-numeric: tabular-nums; }
    figure { margin: 0; flex: 0 0 auto; text-align: center; max-width: 220px; }
    figcaption { font-size: 12px; line-height: 1.35; color: var(--soft); margin-top: 4px; }
    .field .sky { fill: var(--sky); stroke: var(--soft); }
    .field .grid { stroke: var(--soft); stroke-opacity: .28; stroke-width: .6; fill: none; }
    .field .seen { fill: var(--mark); fill-opacity: .42; stroke: var(--mark); stroke-width: 1.8; }
    .field .beside { fill: none; stroke: var(--mark); stroke-dasharray: 4 3; stroke-width: 1.3; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line);
      white-space: nowrap; font-weight: 400; }
    thead th { color: var(--soft); font-size: 13px; } tbody th { font-weight: 600; }
    .number { text-align: right; }
    @media (max-width: 760px) { .detail { flex-direction: column; gap: 12px; } }
    @media print { body { background: none; } .panel { display: none; } main { padding: 0; max-width: none; }
      .card { border: 0; padding: 0; overflow: visible; } .picture svg { width: 100%; height: auto; }
      tr { break-inside: avoid; } }
    """

  /// Shows the section of the layer that a pointer, a tap or the focus is on.
  static let script = """
    const panel = document.querySelector('.panel');
    const layers = [...document.querySelectorAll('.network .layer')];
    function choose(layer) {
      for (const other of layers) other.classList.toggle('chosen', other === layer);
      for (const section of panel.children) section.hidden = section.id !== 'layer-' + layer.dataset.layer;
    }
    for (const layer of layers) {
      for (const event of ['pointerenter', 'focus', 'click']) layer.addEventListener(event, () => choose(layer));
    }
    if (layers.length) choose(layers.find(layer => layer.classList.contains('f-convolution')) ?? layers[0]);
    """
}
