import Convc
import Testing

/// Which of the input's pixels layers show that move or sum cells, as `convc inspect` says it.
@Suite("Reach of layers that move cells")
struct ShapeReachTests {
  private func reach(_ layer: any Layer, _ input: [Int] = [1, 8, 6, 6]) -> Reach {
    layer.reach(for: [TensorType(shape: input)])
  }

  @Test("blocks of pixels and channels are windows and their reverse")
  func blocks() {
    #expect(
      reach(SpaceToDepth(blockSize: 2))
        == .window(height: 2, width: 2, verticalStride: 2, horizontalStride: 2))
    #expect(
      reach(DepthToSpace(blockSize: 2))
        == .upsampling(height: 1, width: 1, verticalStride: 2, horizontalStride: 2))
  }

  @Test("padding and slices move the first field, steps widen the distance of fields")
  func starts() {
    #expect(
      reach(Pad(padding: Padding(top: 2, bottom: 0, left: 1, right: 0)))
        == .window(
          height: 1, width: 1, verticalStride: 1, horizontalStride: 1,
          padding: Border(top: 2, bottom: 0, left: 1, right: 0)))
    #expect(
      reach(Slice(axis: 2, start: 1, end: 6, step: 2))
        == .window(
          height: 1, width: 1, verticalStride: 2, horizontalStride: 1,
          padding: Border(top: -1, bottom: 0, left: 0, right: 0)))
    #expect(reach(Slice(axis: 1, start: 1, end: 6)) == .value)
  }

  @Test("places that move anywhere see everything; channels may move")
  func everything() {
    #expect(reach(Transpose([2, 3, 1])) == .everything)
    #expect(reach(ReduceMean(axes: [2, 3])) == .everything)
    #expect(reach(ReduceMean(axes: [1])) == .value)
    #expect(reach(Reshape([-1, 6, 6])) == .value)
    #expect(reach(Reshape([16, 3, 6])) == .everything)
  }
}
