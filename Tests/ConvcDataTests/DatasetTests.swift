import ConvcData
import Foundation
import Testing

@Suite struct DatasetTests {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func load() throws -> Dataset { try DatasetCatalog().load(folder.path + "/") }

  private func refusal() -> String { folder.message { _ = try load() } }

  @Test func folderIsRead() throws {
    try folder.writeDataset()
    let data = try load()
    #expect(data.name == folder.path.split(separator: "/").last.map(String.init))
    #expect(data.shape == [1, 2, 2])
    #expect(data.classNames == ["0", "1", "2"])
    #expect(data.train.count == 4 && data.test.count == 2)
    #expect(data.train.pixels == Array(0..<16))
    #expect(data.train.labels == [0, 1, 2, 1])
    #expect(data.test.labels == [2, 0])
  }

  @Test func imagesMayHaveChannels() throws {
    try folder.writeDataset()
    for (prefix, count) in [("train", 4), ("t10k", 2)] {
      let pixels = [UInt8](repeating: 9, count: count * 12)
      try folder.write(idx(shape: [count, 3, 2, 2], pixels), to: "\(prefix)-images-idx3-ubyte")
    }
    #expect(try load().shape == [3, 2, 2])
  }

  @Test func classesAreNamedByAFile() throws {
    try folder.writeDataset()
    try folder.write(Array("cat \r\n  dog\r\nhorse\r\nnone\n\n".utf8), to: "classes.txt")
    #expect(try load().classNames == ["cat", "dog", "horse", "none"])
  }

  @Test(arguments: [
    ("cat\n\ndog\n", 2, "the name is empty"),
    ("cat\ndog\ncat\n", 3, "'cat' is already the name of line 1"),
    ("\n", 1, "the file has no names"),
  ])
  func badClassNamesAreRefused(text: String, line: Int, reason: String) throws {
    try folder.writeDataset()
    try folder.write(Array(text.utf8), to: "classes.txt")
    #expect(
      refusal() == "FOLDER/classes.txt, line \(line): \(reason); give one class name a line")
  }

  @Test func classNamesThatAreNoTextAreRefused() throws {
    try folder.writeDataset()
    try folder.write([0xff, 0xfe], to: "classes.txt")
    #expect(
      refusal()
        == "FOLDER/classes.txt, line 1: the file is not UTF-8 text; give one class name a line")
  }

  @Test func labelsBeyondTheNamesAreRefused() throws {
    try folder.writeDataset()
    try folder.write(Array("cat\ndog\n".utf8), to: "classes.txt")
    #expect(
      refusal()
        == "label 2 of image 2 in FOLDER/train-labels-idx1-ubyte.gz is no class: expected 0...1; "
        + "correct the label or name more classes in classes.txt")
  }

  @Test func negativeLabelsAreRefused() throws {
    try folder.writeDataset()
    try folder.write(idx(type: 0x09, shape: [2], [1, 0xff]), to: "t10k-labels-idx1-ubyte")
    #expect(
      refusal()
        == "label -1 of image 1 in FOLDER/t10k-labels-idx1-ubyte is no class: expected 0...2; "
        + "correct the label or name more classes in classes.txt")
  }

  @Test func missingFilesAreNamed() throws {
    try folder.writeDataset()
    try FileManager.default.removeItem(atPath: folder.path + "/t10k-labels-idx1-ubyte.gz")
    #expect(
      refusal()
        == "no file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz in FOLDER; "
        + "a folder of data holds the four files of MNIST, or those of CIFAR-10's binary version, under their names"
    )
  }

  @Test func cifarFilesAreReadInOrder() throws {
    func record(_ label: UInt8) -> [UInt8] { [label] + (0..<3072).map { UInt8(($0 + 7) % 251) } }
    try folder.write(Array("cat\ndog\n\n".utf8), to: "batches.meta.txt")
    try folder.write(gzip(record(1) + record(0)), to: "data_batch_1.bin.gz")
    try folder.write(record(1), to: "data_batch_2.bin")
    try folder.write(record(0), to: "test_batch.bin")
    let data = try DatasetCatalog().load(folder.path)
    #expect(data.shape == [3, 32, 32])
    #expect(data.classNames == ["cat", "dog"])
    #expect(data.train.labels == [1, 0, 1] && data.test.labels == [0])
    #expect(Array(data.test.pixels.prefix(3)) == [7, 8, 9])
    try folder.write(record(2), to: "test_batch.bin")
    #expect(refusal().contains("label 2 of image 0 in FOLDER/test_batch.bin is no class"))
    try folder.write(record(0) + [1], to: "test_batch.bin")
    #expect(
      refusal()
        == "FOLDER/test_batch.bin has 3074 bytes, expected a multiple of 3073, a label and an image of 3x32x32; "
        + "copy or download it again")
    try FileManager.default.removeItem(atPath: folder.path + "/test_batch.bin")
    #expect(refusal().hasPrefix("no file test*.bin or test*.bin.gz in FOLDER;"))
  }

  @Test func differentCountsAreRefused() throws {
    try folder.writeDataset()
    try folder.write(idx(shape: [3], [0, 1, 2]), to: "train-labels-idx1-ubyte")
    #expect(
      refusal()
        == "FOLDER/train-images-idx3-ubyte has 4 images, FOLDER/train-labels-idx1-ubyte has 3 labels; "
        + "give files that belong together")
  }

  @Test func differentSizesAreRefused() throws {
    try folder.writeDataset(testShape: [2, 3])
    let name = try #require(folder.path.split(separator: "/").last)
    #expect(
      refusal()
        == "data set '\(name)' has training images 1x2x2 and test images 1x2x3, "
        + "expected equal sizes; give files that belong together")
  }

  @Test func filesThatAreNoImagesAreRefused() throws {
    try folder.writeDataset()
    let images = "train-images-idx3-ubyte"
    let expected = "images, height and width, with channels second where there are several"
    try folder.write(idx(shape: [4, 4], Array(0..<16)), to: images)
    #expect(
      refusal() == "FOLDER/\(images) has extents 4x4, expected \(expected); give another file")
    try folder.write(idx(shape: [0, 2, 2], []), to: images)
    #expect(refusal() == "FOLDER/\(images) has no images; give at least one")
    try folder.write(idx(shape: [4, 0, 2], []), to: images)
    #expect(
      refusal()
        == "FOLDER/\(images) has extents 1x0x2, expected channels, height and width above 0; "
        + "give another file")
    try folder.write(idx(type: 0x09, shape: [1, 2, 2], Array(0..<4)), to: images)
    try folder.write(idx(shape: [1], [0]), to: "train-labels-idx1-ubyte")
    #expect(
      refusal()
        == "FOLDER/\(images) holds int8 values, expected uint8; convert them or give another file")
    try folder.write(idx(shape: [1, 1], [0]), to: "train-labels-idx1-ubyte")
    #expect(
      refusal()
        == "FOLDER/train-labels-idx1-ubyte has extents 1x1, expected one, the number of labels; "
        + "give another file")
  }

  @Test func slicesOfAVolumeBecomeChannels() throws {
    let images = try ImageSet(
      name: "volume", shape: [1, 1, 1], pixels: [1, 2, 3, 4], labels: [0, 0, 1, 1])
    let one = try images.stacked(neighbors: 1)
    #expect(one.shape == [3, 1, 1])
    #expect(one.pixels == [1, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 4])
    let two = try images.stacked(neighbors: 1, depth: 2)
    #expect(two.pixels == [1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4])
    #expect(try images.stacked(neighbors: 2).shape == [5, 1, 1])
    #expect(two.labels == images.labels)
    #expect {
      _ = try images.stacked(neighbors: 1, depth: 3)
    } throws: {
      "\($0)" == "volume: 4 images cannot be stacked with 1 neighbors in volumes of 3; "
        + "0...64 neighbors and a depth that divides the number of images are expected"
    }
  }
}
