import Convc
import Testing

/// Fields by the standard arithmetic: Dumoulin and Visin 2016, Araujo, Norris and Sim 2019.
@Suite("Receptive fields")
struct ReceptiveFieldTests {
  private func inspect(_ model: Model) throws -> Inspection {
    Inspection(try model.compile(BuildOptions(batch: 1, trains: false, target: .generic)))
  }

  private func field(
    _ size: Double, jump: Double, start: Double
  ) -> ReceptiveField {
    let axis = ReceptiveField.Axis(
      first: start - (size - 1) / 2, last: start + (size - 1) / 2, jump: jump)
    return .pixels(vertical: axis, horizontal: axis)
  }

  @Test("two 3x3 convolutions see as much as one of 5x5, with 18 weights instead of 25")
  func twoSmallKernels() throws {
    let two = try inspect(
      Model("two", input: [1, 9, 9]) {
        Conv2D(outputChannels: 1, kernelSize: 3, bias: false)
        Conv2D(outputChannels: 1, kernelSize: 3, bias: false)
      })
    let one = try inspect(
      Model("one", input: [1, 9, 9]) {
        Conv2D(outputChannels: 1, kernelSize: 5, bias: false)
      })
    #expect(two.layers.last?.receptiveField == field(5, jump: 1, start: 2))
    #expect(two.layers.last?.receptiveField == one.layers.last?.receptiveField)
    #expect(two.layers.last?.shape == one.layers.last?.shape)
    #expect(two.parameters == 18)
    #expect(one.parameters == 25)
    #expect(two.layers.map(\.parameterFormula) == ["3·3·1·1", "3·3·1·1"])
  }

  @Test("kernel, stride, dilation and padding: r + (K − 1)·D·j, j·S, start + ((K − 1)·D/2 − P)·j")
  func arithmetic() throws {
    let inspection = try inspect(
      Model("net", input: [1, 40, 40]) {
        Conv2D(outputChannels: 1, kernelSize: 7, stride: 2, padding: 3)
        MaxPool2D(kernelSize: 3, stride: 2, padding: 1)
        Conv2D(outputChannels: 1, kernelSize: 3, padding: 0, dilation: 2)
        ReLU()
      })
    let fields = inspection.layers.map(\.receptiveField)
    #expect(fields[0] == field(7, jump: 2, start: 0))
    #expect(fields[1] == field(11, jump: 4, start: 0))
    #expect(fields[2] == field(27, jump: 4, start: 8))
    #expect(fields[3] == fields[2])
    #expect("\(fields[2])" == "27x27, jump 4, start 8")
  }

  @Test("uneven padding moves the start, and each axis counts by itself")
  func uneven() throws {
    let inspection = try inspect(
      Model("net", input: [1, 8, 9]) {
        Conv2D(
          outputChannels: 1, kernelSize: Size2D(height: 3, width: 2),
          stride: Size2D(height: 1, width: 2),
          padding: Padding(top: 2, bottom: 0, left: 0, right: 1))
      })
    let field = inspection.layers[0].receptiveField
    #expect(
      field
        == .pixels(
          vertical: .init(first: -2, last: 0, jump: 1),
          horizontal: .init(first: 0, last: 1, jump: 2)))
    #expect(field.sizeText() == "3x2" && field.jumpText() == "1x2" && field.startText() == "-1x0.5")
    #expect(
      inspection.layers[0].sizeFormula == [
        "height 1 + (8 − 3 + 2 + 0)/1 = 8", "width 1 + (9 − 2 + 0 + 1)/2 = 5",
      ])
  }

  @Test("a transposed convolution makes jumps smaller, down to fractions of a pixel")
  func upsampling() throws {
    let inspection = try inspect(
      Model("net", input: [1, 8, 8]) {
        MaxPool2D(kernelSize: 2)
        ConvTranspose2D(outputChannels: 1, kernelSize: 2, stride: 2)
        ConvTranspose2D(outputChannels: 1, kernelSize: 4, stride: 2, padding: 1)
      })
    let fields = inspection.layers.map(\.receptiveField)
    #expect(fields[0] == field(2, jump: 2, start: 0.5))
    #expect(fields[1] == field(2, jump: 1, start: 0))
    #expect(fields[2] == field(3, jump: 0.5, start: -0.25))
    #expect(inspection.layers[2].sizeFormula[0] == "height (8 − 1)·2 + 4 − 1 − 1 + 0 = 16")
  }

  @Test("a sum sees what either side sees, and dense layers see everything")
  func joins() throws {
    let model = Model("net") { graph in
      let image = graph.input("image", [1, 9, 9])
      let wide = image.conv2d(1, kernelSize: 5, padding: 2)
      let narrow = image.conv2d(
        1, kernelSize: 3, padding: Padding(top: 2, bottom: 0, left: 2, right: 0))
      graph.output("output", wide.add(narrow).flatten().dense(3))
    }
    let inspection = try inspect(model)
    let fields = inspection.layers.map(\.receptiveField)
    #expect(fields[1] == field(3, jump: 1, start: -1))
    #expect(fields[2] == field(5, jump: 1, start: 0))
    #expect(fields[4] == .everything)
    #expect(
      inspection.layers.map(\.family) == [.convolution, .convolution, .merge, .shape, .dense])
    #expect(inspection.layers.map(\.depth) == [1, 1, 1, 1, 2])
  }

  @Test("columns that no window reads are counted, and the formula says how it is rounded")
  func lost() throws {
    let layer = try #require(
      try inspect(
        Model("net", input: [1, 7, 8]) { MaxPool2D(kernelSize: 3, stride: 2) }
      ).layers.first)
    #expect(layer.lostPixels == [0, 1])
    #expect(
      layer.sizeFormula == [
        "height 1 + (7 − 3 + 0 + 0)/2 = 3", "width 1 + (8 − 3 + 0 + 0)/2 = 3, rounded down",
      ])
  }
}
