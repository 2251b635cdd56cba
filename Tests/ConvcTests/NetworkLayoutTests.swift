import ConvcIR
import ConvcModels
import Testing

@testable import Convc

/// Where the picture of a network puts boxes, labels and lines.
@Suite("The layout of a network's picture")
struct NetworkLayoutTests {
  private static func picture(_ model: Model) throws -> NetworkPicture {
    NetworkPicture(
      Inspection(try model.compile(BuildOptions(batch: 1, trains: false, target: .generic))))
  }

  @Test(
    "labels are whole, do not overlap, and lie inside the picture",
    arguments: Preset.all.map(\.name))
  func labels(_ name: String) throws {
    let picture = try Self.picture(try #require(Preset.named(name)).make())
    let layout = picture.layout
    let texts = picture.head + layout.plan.boxes.indices.flatMap { layout.labels(of: $0) }
    #expect(texts.map(\.text).filter { $0.contains("…") } == [])
    let boxes = texts.map(\.box).sorted { $0.top < $1.top }
    #expect(boxes.count >= layout.plan.boxes.count)
    for (index, a) in boxes.enumerated() {
      #expect(a.left >= 0 && a.right <= picture.width && a.bottom <= layout.height)
      for b in boxes[(index + 1)...].prefix(while: { $0.top < a.bottom }) {
        #expect(a.right <= b.left || b.right <= a.left, "\(name): \(a) and \(b)")
      }
    }
  }

  @Test(
    "boxes do not overlap, and edges lead from left to right along rows",
    arguments: ["unet", "resnet8-digits"])
  func boxes(_ name: String) throws {
    let layout = try Self.picture(try #require(Preset.named(name)).make()).layout
    for a in layout.plan.boxes.indices {
      for b in layout.plan.boxes.indices where a < b {
        let distance = (
          (layout.centers[a].x - layout.centers[b].x).magnitude,
          (layout.centers[a].y - layout.centers[b].y).magnitude
        )
        let (v, w) = (layout.volumes[a], layout.volumes[b])
        #expect(
          distance.0 >= (v.boundingWidth + w.boundingWidth) / 2
            || distance.1 >= (v.boundingHeight + w.boundingHeight) / 2)
      }
    }
    let edges = layout.plan.boxes.reduce(0) { $0 + Set($1.reads).count }
    #expect(layout.routes.count == edges)
    for route in layout.routes {
      #expect(route.points.count > 1)
      for (a, b) in zip(route.points, route.points.dropFirst()) {
        #expect(a.x == b.x || a.y == b.y, "lines are level or upright")
      }
    }
  }

  @Test("the longest way is lane 0, and a branch beside it has a lane of its own")
  func lanes() throws {
    let model = Model("net") { graph in
      let image = graph.input("image", [4, 8, 8])
      let x = image.conv2d(4, kernelSize: 3, padding: 1).relu().conv2d(4, kernelSize: 3, padding: 1)
      graph.output("output", x.add(image.conv2d(4, kernelSize: 1)).relu())
    }
    let plan = try Self.picture(model).layout.plan
    #expect(
      plan.boxes.map(\.title) == ["image", "conv1", "relu1", "conv2", "conv3", "add1", "relu2"])
    #expect(plan.columns == [0, 1, 2, 3, 1, 4, 5])
    #expect(plan.lanes == [0, 0, 0, 0, 1, 0, 0])
  }

  @Test("layers of one kernel stand in a frame")
  func frames() throws {
    let layout = try Self.picture(LeNet5.model()).layout
    #expect(layout.frames.count == 4)
    #expect(layout.rows.ranges.count == 1)
  }
}
