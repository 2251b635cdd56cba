import ConvcIR
import Testing

@testable import ConvcEmit

@Suite("KernelRenderer")
struct KernelRendererTests {
  private static let library = TemplateLibrary([
    "kernel": """
    {{% CONTENT_TYPE:TEXT}}
    {{> head}}
        {{> constants}}
        {{> views}}

        {{#parallel}}
        OMP(omp for)
        {{/parallel}}
        {{> epilogue}}
    }
    """,
    "headless": "{{% CONTENT_TYPE:TEXT}}\n{{> epilogue}}\n",
    "relu_scalar": "{{% CONTENT_TYPE:TEXT}}\nv = v < 0 ? 0 : v;\n",
    "scale_scalar": "{{% CONTENT_TYPE:TEXT}}\nv *= {{factor}};\n",
  ])

  private static func call(
    template: String = "kernel", layers: [String] = ["conv1", "relu1"], isParallel: Bool = true,
    fragments: [Fragment] = [], values: Int = 1
  ) -> KernelCall {
    KernelCall(
      template: template, name: "conv1_relu1_forward", title: "conv1 + relu1, forward: 5x5 */",
      notes: ["The first sentence.", "The second."], layers: layers,
      constants: [
        ConstantRow([Constant("C", 3), Constant("H", 32)], comment: "map"),
        ConstantRow((0..<values).map { Constant("VALUE_\($0)", $0) }),
      ],
      fragments: ["epilogue": fragments], scalars: [.groups, .accumulate, .seed],
      arguments: [
        Argument(
          "x", element: "lanes", access: .read, buffer: Buffer.ID(0), dimensions: ["C", "H"],
          text: "[groups, 3, 32, 16]  16 images in lanes"),
        Argument(
          "bias", element: "float", access: .read, buffer: Buffer.ID(1), text: "[3]"),
        Argument(
          "argmax", element: "uint8_t", access: .write, buffer: Buffer.ID(2),
          dimensions: ["C", "H"], text: "the winners"),
      ], isParallel: isParallel, work: Work(flops: 1, bytes: 1, efficiency: 1))
  }

  private static var renderer: KernelRenderer {
    KernelRenderer(renderer: TemplateRenderer(library: library), target: .x86v4)
  }

  private static func render(
    _ call: KernelCall, name: String = "f", uses: [[String]] = []
  ) throws -> [String] {
    try renderer.function(call, name: name, uses: uses)
  }

  @Test("writes comment, signature, constants, views and fragments")
  func whole() throws {
    let fragments = [
      Fragment(template: "relu_scalar", values: [:], layer: "relu1"),
      Fragment(template: "scale_scalar", values: ["factor": "2"], layer: "scale1"),
      Fragment(template: "scale_scalar", values: ["factor": "3"], layer: "scale1"),
    ]
    let lines = try Self.render(
      Self.call(fragments: fragments), uses: [["conv1", "relu1"], ["conv2", "relu2"], ["conv3"]])
    let expected = """
      // conv1 + relu1, forward: 5x5 * /.
      // The same for conv2 + relu2, conv3.
      //
      //   x       [groups, 3, 32, 16]  16 images in lanes
      //   bias    [3]
      //   argmax  the winners
      //
      // The first sentence. The second.
      static NOINLINE void f(int groups, int accumulate, uint64_t seed, const lanes *restrict x_, const float *restrict bias,
                             uint8_t *restrict argmax_) {
          enum { C = 3, H = 32 };  // map
          enum { VALUE_0 = 0 };
          const lanes (*x)[C][H] = (const lanes (*)[C][H])x_;
          uint8_t (*argmax)[C][H] = (uint8_t (*)[C][H])argmax_;

          OMP(omp for)
          // relu1
          v = v < 0 ? 0 : v;
          // scale1
          v *= 2;
          v *= 3;
      }
      """
    #expect(lines.joined(separator: "\n") == expected)
  }

  @Test("keeps every line within 120 columns")
  func wraps() throws {
    let name = String(repeating: "conv_", count: 18)
    let lines = try Self.render(
      Self.call(layers: (0..<40).map { "layer\($0)" }, isParallel: false, values: 30), name: name)
    #expect(lines.filter { $0.count > 120 } == [])
    #expect(lines.contains { $0.hasPrefix("// layer0 + layer1") })
    #expect(!lines.contains { $0.contains("OMP") })
  }

  @Test("hides a function that other files call")
  func hidden() throws {
    let lines = Self.renderer.signature(Self.call(), "f", .hidden, " {")
    #expect(lines.first == "__attribute__((visibility(\"hidden\"), noinline))")
    #expect(lines[1].hasPrefix("void f(int groups"))
  }

  @Test("refuses a template without a head, and fragments that do not fit")
  func refuses() {
    let headless = #expect(throws: TemplateError.self) {
      try Self.render(Self.call(template: "headless"))
    }
    #expect(
      headless?.description == "template headless, line 1: the part named head is not used")
    let fragment = Fragment(template: "scale_scalar", values: [:], layer: "scale1")
    let unbound = #expect(throws: TemplateError.self) {
      try Self.render(Self.call(fragments: [fragment]))
    }
    #expect(
      unbound?.description == "template scale_scalar, line 2: there is no text named factor")
  }
}
