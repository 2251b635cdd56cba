import ConvcIR

extension Window2D {
  /// Output of a pooling layer with this window.
  ///
  /// - Throws: input not of rank 4; a window that does not fit; a padding that leaves a window without a cell.
  func pooledType(of inputs: [TensorType]) throws(LayerError) -> TensorType {
    let input = try inputs.singleMaps()
    let maps = input.maps
    let size = try outputSize(height: maps.h, width: maps.w)
    guard max(padding.top, padding.bottom) < kernelSize.height,
      max(padding.left, padding.right) < kernelSize.width
    else {
      throw .setting(
        "a padding of \(padding.top), \(padding.bottom), \(padding.left), \(padding.right) leaves windows of "
          + "\(kernelSize.text) without a cell; paddings have to be smaller than the window")
    }
    return input.with(shape: [maps.n, maps.c, size.height, size.width])
  }

  /// Settings in words, for pooling: a stride equal to the window is left out.
  var poolingText: String {
    guard stride == kernelSize else { return text }
    return Window2D(kernelSize: kernelSize, padding: padding, rounding: rounding).text
  }
}

extension Window2D {
  /// The extents of a map and of its windows' results, and the window's settings, as a kernel's constants.
  func poolingConstants(_ map: Placement, _ results: Placement) -> [ConstantRow] {
    [
      ConstantRow([
        Constant("C", map.blocks), Constant("H", map.maps.h), Constant("W", map.maps.w),
        Constant("OH", results.maps.h), Constant("OW", results.maps.w),
      ]),
      ConstantRow([
        Constant("R", kernelSize.height), Constant("S", kernelSize.width),
        Constant("STRIDE_H", stride.height), Constant("STRIDE_W", stride.width),
        Constant("PAD_TOP", padding.top), Constant("PAD_LEFT", padding.left),
      ]),
    ]
  }
}

extension SettingSpec {
  static let poolingStride = SettingSpec(
    "stride", .size, default: .list([]),
    "cells from one window to the next; nothing: the kernel size")
}

extension Settings {
  /// nil: the kernel size.
  func poolingStride() throws(SettingError) -> Size2D? {
    has("stride") ? try size2D("stride") : nil
  }
}

extension Window2D {
  /// The settings of a convolution's window.
  var settingValues: [String: SettingValue] {
    [
      "kernelSize": kernelSize.setting, "stride": stride.setting, "padding": padding.setting,
      "dilation": dilation.setting, "rounding": .word(rounding.rawValue),
    ]
  }

  /// The settings of a pooling window: a stride equal to the window is left out.
  var poolingSettings: [String: SettingValue] {
    var values = settingValues
    values["dilation"] = nil
    if stride == kernelSize { values["stride"] = nil }
    return values
  }
}
