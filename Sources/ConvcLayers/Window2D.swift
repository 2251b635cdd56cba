import ConvcIR

/// What happens to the fraction of a quotient that is not whole.
public enum Rounding: String, Sendable, Hashable, CaseIterable {
  /// The last cells of the padded input are not read.
  case floor
  /// A last window hangs over the padded input's end; cells beyond it count as padding.
  case ceil
  /// A fraction is an error.
  case exact
}

/// The four paddings of a map.
public struct Padding: Sendable, Hashable, ExpressibleByIntegerLiteral {
  public let top: Int
  public let bottom: Int
  public let left: Int
  public let right: Int
  /// Whether a window chooses the cells: ``same``.
  let isSame: Bool

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.init(top: top, bottom: bottom, left: left, right: right, isSame: false)
  }

  private init(top: Int, bottom: Int, left: Int, right: Int, isSame: Bool) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
    self.isSame = isSame
  }

  /// As many cells as keep the size at a stride of 1: per axis K − 1 in all for a window that spans K cells.
  ///
  /// Odd windows get (K − 1)/2 on each side, so 3 gets 1 and 5 gets 2; even ones one more at the bottom and on the right
  /// than before. With a stride S the output has ⌈W/S⌉ cells (rounding floor). The cells do not depend on the image's
  /// size, as they do in TensorFlow where S is above 1.
  public static let same = Padding(top: 0, bottom: 0, left: 0, right: 0, isSame: true)

  /// The cells for a window: those of ``same`` are known once the window is.
  func resolved(kernelSize: Size2D, dilation: Size2D) -> Padding {
    guard isSame else { return self }
    func cells(_ kernel: Int, _ dilation: Int) -> (before: Int, after: Int) {
      // Sizes that are refused later on.
      let limit = 1 << 24
      guard (1...limit).contains(kernel), (1...limit).contains(dilation) else { return (0, 0) }
      let all = (kernel - 1) * dilation
      return (all / 2, all - all / 2)
    }
    let vertical = cells(kernelSize.height, dilation.height)
    let horizontal = cells(kernelSize.width, dilation.width)
    return Padding(
      top: vertical.before, bottom: vertical.after, left: horizontal.before,
      right: horizontal.after)
  }

  public init(integerLiteral all: Int) {
    self.init(top: all, bottom: all, left: all, right: all)
  }

  public init(_ all: Int) { self.init(integerLiteral: all) }
}

/// Height and width.
public struct Size2D: Sendable, Hashable, ExpressibleByIntegerLiteral {
  public let height: Int
  public let width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  public init(integerLiteral both: Int) { self.init(height: both, width: both) }
  public init(_ both: Int) { self.init(integerLiteral: both) }

  var text: String { "\(height)x\(width)" }
}

/// A window that slides over a map: kernel size, strides, four paddings, dilation and rounding.
///
/// Size of the output per axis: `out = 1 + (W + P_left + P_right − D·(K − 1) − 1)/S`, which is
/// `1 + (W − K + P_left + P_right)/S` without dilation.
public struct Window2D: Sendable, Hashable {
  public let kernelSize: Size2D
  public let stride: Size2D
  public let padding: Padding
  public let dilation: Size2D
  public let rounding: Rounding

  public init(
    kernelSize: Size2D, stride: Size2D = 1, padding: Padding = 0, dilation: Size2D = 1,
    rounding: Rounding = .floor
  ) {
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding.resolved(kernelSize: kernelSize, dilation: dilation)
    self.dilation = dilation
    self.rounding = rounding
  }

  var vertical: Axis {
    Axis(
      name: "height", kernel: kernelSize.height, stride: stride.height, before: padding.top,
      after: padding.bottom, dilation: dilation.height, rounding: rounding)
  }
  var horizontal: Axis {
    Axis(
      name: "width", kernel: kernelSize.width, stride: stride.width, before: padding.left,
      after: padding.right, dilation: dilation.width, rounding: rounding)
  }

  /// Rows and columns of the output.
  ///
  /// - Throws: a window that does not fit, or an inexact quotient under `exact`, with the formula, its numbers and the
  ///   nearest sizes that work.
  public func outputSize(height: Int, width: Int) throws(LayerError) -> Size2D {
    Size2D(height: try vertical.output(height), width: try horizontal.output(width))
  }

  /// Rows and columns of the padded input that no window reads.
  public func lostPixels(height: Int, width: Int) -> LostPixels {
    LostPixels(rows: vertical.lost(height), columns: horizontal.lost(width))
  }

  /// The cells that one value of the output is computed from.
  var reach: Reach {
    .window(
      height: vertical.span, width: horizontal.span, verticalStride: stride.height,
      horizontalStride: stride.width,
      padding: Border(
        top: padding.top, bottom: padding.bottom, left: padding.left, right: padding.right))
  }

  /// What is worth knowing of a window without a middle that keeps the size of the map.
  var evenPaddingLint: [String] {
    let same = Padding.same.resolved(kernelSize: kernelSize, dilation: dilation)
    guard padding == same, padding.top != padding.bottom || padding.left != padding.right else {
      return []
    }
    let sides = [
      padding.top == padding.bottom ? nil : "row at the bottom",
      padding.left == padding.right ? nil : "column on the right",
    ]
    return [
      "has a window of \(kernelSize.text), which has no middle: same padding puts one more "
        + sides.compactMap { $0 }.joined(separator: " and ") + "; odd sizes need none"
    ]
  }

  /// Whether windows lie side by side: no cell is in two of them, and none is padding.
  public var tiles: Bool {
    kernelSize == stride && padding == 0 && dilation == 1 && rounding != .ceil
  }

  /// Settings in words; those at their default are left out.
  var text: String {
    var parts = [kernelSize.text]
    if stride != 1 {
      parts.append(
        "stride \(stride.height == stride.width ? "\(stride.height)" : stride.text)")
    }
    let p = padding
    if p != 0 {
      let same = Set([p.top, p.bottom, p.left, p.right]).count == 1
      parts.append(
        same
          ? "padding \(p.top)"
          : "padding top \(p.top) bottom \(p.bottom) left \(p.left) right \(p.right)")
    }
    if dilation != 1 {
      parts.append(
        "dilation \(dilation.height == dilation.width ? "\(dilation.height)" : dilation.text)")
    }
    if rounding != .floor { parts.append("rounding \(rounding.rawValue)") }
    return parts.joined(separator: ", ")
  }

  /// One axis of a window.
  struct Axis {
    let name: String
    let kernel: Int
    let stride: Int
    let before: Int
    let after: Int
    let dilation: Int
    let rounding: Rounding

    /// Cells that a window spans.
    var span: Int { (kernel - 1) * dilation + 1 }

    private func formula(_ size: Int) -> String {
      "1 + (\(size) - \(span) + \(before) + \(after))/\(stride)"
    }

    func check() throws(LayerError) {
      let limit = 1 << 24
      guard (1...limit).contains(kernel), (1...limit).contains(stride),
        (1...limit).contains(dilation), (0...limit).contains(before), (0...limit).contains(after)
      else {
        throw .setting(
          "\(name): kernel size \(kernel), stride \(stride), dilation \(dilation), padding \(before) and \(after) "
            + "are out of range; sizes, strides and dilations are at least 1, paddings at least 0, all at most \(limit)"
        )
      }
      guard kernel.multipliedReportingOverflow(by: dilation).partialValue <= limit else {
        throw .setting(
          "\(name): kernel size \(kernel) with dilation \(dilation) spans over \(limit) cells; make one smaller"
        )
      }
    }

    func output(_ size: Int) throws(LayerError) -> Int {
      try check()
      let free = size + before + after - span
      guard free >= 0 else {
        throw .window(
          "\(name) \(formula(size)) is below 1: the window spans \(span) of \(size + before + after) padded cells; "
            + "an input of at least \(max(1, span - before - after)), or a kernel of at most "
            + "\((size + before + after - 1) / dilation + 1), works")
      }
      let (quotient, rest) = free.quotientAndRemainder(dividingBy: stride)
      if rest == 0 { return 1 + quotient }
      switch rounding {
      case .floor:
        return 1 + quotient
      case .ceil:
        // A window has to begin inside the input or its leading padding.
        return (quotient + 1) * stride >= size + before ? 1 + quotient : 2 + quotient
      case .exact:
        throw .window(
          "\(name) \(formula(size)) is not whole; inputs of \(size - rest) or \(size + stride - rest), or rounding "
            + "floor (loses \(rest)) or ceil, work")
      }
    }

    func lost(_ size: Int) -> Int {
      guard let out = try? output(size) else { return 0 }
      return max(0, size + before + after - span - (out - 1) * stride)
    }
  }
}
