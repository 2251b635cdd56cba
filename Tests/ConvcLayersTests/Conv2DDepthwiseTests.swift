import Convc
import Testing

@testable import ConvcIR

/// Depthwise convolutions with channels in lanes.
@Suite("Conv2D, depthwise")
struct Conv2DDepthwiseTests {
  static let cases = [
    BlockedKernelTests.Case(name: "3x3, bias, ReLU, odd sizes", shape: [32, 9, 11]) {
      $0.conv2d(32, kernelSize: 3, padding: 1, groups: 32).relu()
    },
    BlockedKernelTests.Case(name: "between 1x1 convolutions, stride 2", shape: [16, 10, 13]) {
      $0.conv2d(48, kernelSize: 1).relu()
        .conv2d(48, kernelSize: 3, stride: 2, padding: 1, groups: 48, bias: false).relu()
        .conv2d(16, kernelSize: 1)
    },
    BlockedKernelTests.Case(name: "odd windows, strides and paddings", shape: [16, 14, 17]) {
      let x = $0.conv2d(
        16, kernelSize: Size2D(height: 2, width: 4), stride: Size2D(height: 3, width: 2),
        padding: Padding(top: 2, bottom: 0, left: 1, right: 3), groups: 16)
      return x.conv2d(16, kernelSize: 2, padding: 2, groups: 16)
    },
    BlockedKernelTests.Case(name: "dilation", shape: [16, 12, 15], batch: 2) {
      $0.conv2d(16, kernelSize: 1).conv2d(
        16, kernelSize: 3, stride: Size2D(height: 1, width: 3), padding: 2,
        dilation: Size2D(height: 2, width: 2), groups: 16)
    },
    BlockedKernelTests.Case(name: "a stride beyond the window", shape: [16, 11, 9]) {
      $0.conv2d(16, kernelSize: 1).conv2d(16, kernelSize: 2, stride: 4, groups: 16)
    },
    BlockedKernelTests.Case(name: "taps that fill no registers", shape: [16, 13, 12]) {
      $0.conv2d(16, kernelSize: 1).conv2d(16, kernelSize: 7, padding: 3, groups: 16).relu()
    },
    BlockedKernelTests.Case(name: "rows in strips", shape: [16, 40, 70], batch: 2) {
      $0.conv2d(16, kernelSize: 1).conv2d(16, kernelSize: 5, padding: 2, groups: 16)
    },
    BlockedKernelTests.Case(name: "a shortcut, pooling, many images", shape: [16, 6, 8], batch: 21)
    {
      let x = $0.conv2d(16, kernelSize: 1)
      return x.conv2d(16, kernelSize: 3, padding: 1, groups: 16).add(x).relu().maxPool(2)
    },
  ]

  @Test("agrees with the generic kernels", arguments: cases)
  func agrees(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .native)
  }

  @Test("agrees with the generic kernels on narrow vectors", arguments: cases)
  func agreesNarrow(_ test: BlockedKernelTests.Case) async throws {
    try await BlockedKernelTests().expectAgreement(test, target: .x86v3)
  }
}
