import ConvcData
import Foundation
import Testing

@Suite struct DatasetCatalogTests {
  private func message(_ name: String, folder: String = "/nonexistent") -> String {
    do {
      _ = try DatasetCatalog(folder: folder).load(name)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func digitsAreBuiltIn() throws {
    let digits = try DatasetCatalog(folder: "/nonexistent").load("digits")
    #expect(digits.shape == [1, 8, 8])
    #expect(digits.train.count == 1437 && digits.test.count == 360)
    #expect(digits.classNames == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    #expect(digits.pixelMaximum == 16)
    #expect(digits.train.pixels.max() == 16)
    #expect(Array(digits.train.pixels.prefix(8)) == [0, 0, 5, 13, 9, 1, 0, 0])
    #expect(Array(digits.train.labels.prefix(12)) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    #expect(Array(digits.test.labels.suffix(4)) == [0, 8, 9, 8])
    #expect(digits.attribution.contains("CC BY 4.0"))
  }

  @Test func theListTellsWhatIsThere() throws {
    let entries = DatasetCatalog(folder: "/nonexistent").entries
    #expect(entries.map(\.name) == ["digits", "fashion-mnist"])
    #expect(entries.map(\.isInstalled) == [true, false])
    #expect(entries.map(\.installation) == [nil, "apt-get install dataset-fashion-mnist"])
    #expect(entries.map(\.license) == ["CC BY 4.0", "MIT"])
    for entry in entries where DatasetCatalog().entries.contains(entry) {
      let data = try DatasetCatalog().load(entry.name)
      #expect(data.shape == entry.shape)
      #expect(data.classNames.count == entry.classCount)
      #expect(data.train.count == entry.trainCount && data.test.count == entry.testCount)
    }
  }

  @Test func missingPackageIsNamed() {
    #expect(
      message("fashion-mnist")
        == "data set 'fashion-mnist' is not installed, no folder /nonexistent/fashion-mnist; "
        + "run: apt-get install dataset-fashion-mnist")
  }

  @Test func unknownNamesAreRefused() {
    #expect(
      message("fashion_mnist")
        == "unknown data set 'fashion_mnist', the nearest is 'fashion-mnist'; "
        + "use digits, fashion-mnist or the path of a folder with the files of MNIST or CIFAR-10")
    #expect(
      message("Digit")
        == "unknown data set 'Digit', the nearest is 'digits'; "
        + "use digits, fashion-mnist or the path of a folder with the files of MNIST or CIFAR-10")
    #expect(
      message("imagenet")
        == "unknown data set 'imagenet'; "
        + "use digits, fashion-mnist or the path of a folder with the files of MNIST or CIFAR-10")
    #expect(
      message("./nowhere")
        == "cannot read ./nowhere: no such folder; check the path and its permissions")
  }

  static let fashion = "/usr/share/datasets/fashion-mnist"

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: fashion),
      "needs Fashion-MNIST: apt-get install dataset-fashion-mnist"))
  func fashionIsRead() throws {
    let data = try DatasetCatalog().load("fashion-mnist")
    #expect(data.shape == [1, 28, 28])
    #expect(data.train.count == 60_000 && data.test.count == 10_000)
    #expect(data.classNames.first == "T-shirt/top" && data.classNames.last == "Ankle boot")
    #expect(Array(data.train.labels.prefix(5)) == [9, 0, 0, 3, 0])
    // The figures that others publish for the training part.
    let preprocessing = data.fittedPreprocessing()
    #expect(abs(preprocessing.mean[0] - 0.2860) < 1e-4)
    #expect(abs(preprocessing.deviation[0] - 0.3530) < 1e-4)
  }

  static let testData = ProcessInfo.processInfo.environment["CONVC_TEST_DATA"]

  @Test(.enabled(if: testData != nil, "needs CONVC_TEST_DATA, a folder with mnist in it"))
  func mnistIsRead() throws {
    let data = try DatasetCatalog().load(#require(Self.testData) + "/mnist")
    #expect(data.name == "mnist")
    #expect(data.shape == [1, 28, 28])
    #expect(data.classNames.count == 10)
    #expect(data.train.count == 60_000 && data.test.count == 10_000)
    let counts = (0..<10).map { digit in data.test.labels.count { $0 == digit } }
    #expect(counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    let preprocessing = data.fittedPreprocessing()
    #expect(abs(preprocessing.mean[0] - 0.1307) < 1e-4)
    #expect(abs(preprocessing.deviation[0] - 0.3081) < 1e-4)
  }
}
