import ConvcIR
import ConvcLayers

/// Residual networks with batch norm after every convolution.
///
/// - Source: He et al. 2015; the stride of a bottleneck stands on its 3x3 convolution.
public enum ResNet {
  /// ResNet-18 for 32x32 images: a 3x3 stem without pooling, four stages of two basic blocks.
  public static func cifar18(channels: Int = 3, size: Size2D = 32, classes: Int = 10) -> Model {
    Model("resnet18_cifar") { graph in
      let image = graph.input("image", [channels, size.height, size.width])
      var x = image.conv2d(64, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
      for (maps, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] {
        x = basicBlock(x, maps, stride: stride, projects: stride != 1)
        x = basicBlock(x, maps, stride: 1, projects: false)
      }
      finish(graph, x, classes)
    }
  }

  /// ResNet-20 for 32x32 images: three stages of three basic blocks of 16, 32 and 64 maps, 269,722 parameters that are
  /// trained.
  ///
  /// Where a stage begins, the shortcut takes every second pixel and fills the new maps with zeros (option A).
  public static func cifar20(channels: Int = 3, size: Size2D = 32, classes: Int = 10) -> Model {
    Model("resnet20_cifar") { graph in
      let image = graph.input("image", [channels, size.height, size.width])
      var x = image.conv2d(16, kernelSize: 3, padding: 1, bias: false).batchNorm().relu()
      var height = size.height
      for (maps, stride) in [(16, 1), (32, 2), (64, 2)] {
        height = (height + stride - 1) / stride
        for index in 0..<3 {
          let step = index == 0 ? stride : 1
          let shortcut = step == 1 ? x : halved(x, maps, height: height)
          x = body(x, maps, stride: step).add(shortcut).relu()
        }
      }
      finish(graph, x, classes)
    }
  }

  /// Every second pixel, and zeros for the new half of the maps: rows of a picture whose rows are maps.
  private static func halved(_ x: Value, _ maps: Int, height: Int) -> Value {
    let added = Padding(top: maps / 4, bottom: maps / 4, left: 0, right: 0)
    return x.maxPool(1, stride: 2).reshape([1, maps / 2, -1]).pad(added)
      .reshape([maps, height, -1])
  }

  /// ResNet-50: a 7x7 stem with pooling, four stages of 3, 4, 6 and 3 bottlenecks.
  public static func resNet50(channels: Int = 3, size: Size2D = 224, classes: Int = 1000) -> Model {
    Model("resnet50") { graph in
      let image = graph.input("image", [channels, size.height, size.width])
      var x = image.conv2d(64, kernelSize: 7, stride: 2, padding: 3, bias: false).batchNorm()
        .relu().maxPool(3, stride: 2, padding: 1)
      for (maps, depth, stride) in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)] {
        for index in 0..<depth {
          x = bottleneck(x, maps, stride: index == 0 ? stride : 1, projects: index == 0)
        }
      }
      finish(graph, x, classes)
    }
  }

  private static func finish(_ graph: ModelBuilder, _ x: Value, _ classes: Int) {
    graph.output("output", x.globalAveragePool().flatten().dense(classes))
    graph.loss(SoftmaxCrossEntropy(), on: "output", target: "target")
  }

  private static func basicBlock(_ x: Value, _ maps: Int, stride: Int, projects: Bool) -> Value {
    body(x, maps, stride: stride).add(shortcut(x, maps, stride: stride, projects: projects)).relu()
  }

  private static func body(_ x: Value, _ maps: Int, stride: Int) -> Value {
    x.conv2d(maps, kernelSize: 3, stride: Size2D(stride), padding: 1, bias: false)
      .batchNorm().relu().conv2d(maps, kernelSize: 3, padding: 1, bias: false).batchNorm()
  }

  private static func bottleneck(_ x: Value, _ maps: Int, stride: Int, projects: Bool) -> Value {
    let body = x.conv2d(maps, kernelSize: 1, bias: false).batchNorm().relu()
      .conv2d(maps, kernelSize: 3, stride: Size2D(stride), padding: 1, bias: false).batchNorm()
      .relu().conv2d(4 * maps, kernelSize: 1, bias: false).batchNorm()
    return body.add(shortcut(x, 4 * maps, stride: stride, projects: projects)).relu()
  }

  private static func shortcut(_ x: Value, _ maps: Int, stride: Int, projects: Bool) -> Value {
    projects
      ? x.conv2d(maps, kernelSize: 1, stride: Size2D(stride), bias: false).batchNorm() : x
  }
}
