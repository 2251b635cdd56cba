/// A mistake or more for each layer of the registry, in kernels for numbers and for vectors.
extension PlantedFault {
  static let ofLayers = ofShapes + ofPools + ofConvolutions + ofNormalisations + ofActivations

  /// Layers that move and join values.
  private static let ofShapes: [(String, [PlantedFault])] = [
    (
      "Add",
      [
        PlantedFault("add_scalar", "+=", "-="),
        PlantedFault("add_vector", "+=", "-="),
      ]
    ),
    (
      "Arithmetic",
      [
        PlantedFault("cells_sum", "sum += {{from}}", "sum = {{from}}"),
        PlantedFault("cells", "int w = 0;", "int w = 1;"),
        PlantedFault("cells", "int m = 0;", "int m = 1;", way: "lanes"),
        PlantedFault("support_larger_scalar", "a > b ? a", "a > b ? b"),
        PlantedFault("support_smaller_scalar", "a < b ? a", "a < b ? b"),
        PlantedFault("support_share_scalar", "a > b ?", "a < b ?"),
        PlantedFault("support_power_base_scalar", "b * powf", "powf"),
        PlantedFault("support_power_exponent_scalar", "logf(a)", "logf(b * b)"),
      ]
    ),
    (
      "Concat",
      [
        PlantedFault("elementwise", "int m = 0;", "int m = 1;"),
        PlantedFault("cells", "int w = 0;", "int w = 1;"),
        PlantedFault("cells", "int h = 0;", "int h = 1;", way: "lanes"),
      ]
    ),
    ("DepthToSpace", [PlantedFault("cells", "int m = 0;", "int m = 1;")]),
    (
      "Dropout",
      [
        PlantedFault("dropout_scalar", "0.0f : v * {{scale}}", "v * {{scale}} : 0.0f"),
        PlantedFault("dropout_scalar", "< {{threshold}}", ">= {{threshold}}", way: "lanes"),
        PlantedFault("elementwise_random", "first = {{first}}", "first = 4 * ({{first}})"),
        PlantedFault(
          "elementwise_random", "h0 += ROWS", "h0 += ROWS + 1", way: "lanes"),
        PlantedFault("random_bits", "{{key}}", "{{key}} + 1"),
        PlantedFault("random_bits_lanes", "DISTANCE", "DISTANCE + 4", way: "lanes"),
        PlantedFault("support_random_blocks", "round < 10", "round < 9", way: "lanes"),
        PlantedFault(
          "support_random_blocks", "(b >> 32) ^ word1", "(b >> 32) ^ word3", way: "lanes"),
        PlantedFault("support_random_bits_vector", "/ 4 + l", "/ 4 + 2 * l", way: "chosen"),
        PlantedFault("support_random_bits_lanes", "/ 4;", "/ 2;", way: "lanes"),
        PlantedFault("support_random_bits_scalar", "round < 10", "round < 9"),
      ]
    ),
    (
      "Elementary",
      [
        PlantedFault("cells", "int m = 0;", "int m = 1;"),
        PlantedFault("cells", "int h = 0;", "int h = 1;", way: "lanes"),
        PlantedFault("support_sign_scalar", "x < 0.0f ?", "x > 0.0f ?"),
      ]
    ),
    (
      "Multiply",
      [
        PlantedFault("cells", "int m = 0;", "int m = 1;"),
        PlantedFault("cells", "int w = 0;", "int w = 1;", way: "lanes"),
      ]
    ),
    (
      "Pad",
      [
        PlantedFault("pad_forward", "x[n][m][row][column]", "x[n][m][row][MIN(w, W - 1)]"),
        PlantedFault("pad_backward", "+= d_y", "= d_y"),
        PlantedFault("pad_backward", "+= d_y", "= d_y", way: "lanes"),
        PlantedFault("cells_place", "w < PART_W", "w < PART_W - 1"),
      ]
    ),
    (
      "ReduceMean",
      [
        PlantedFault("cells_sum", "sum += {{from}}", "sum = {{from}}"),
        PlantedFault("cells_sum", "sum += {{from}}", "sum = {{from}}", way: "lanes"),
        PlantedFault("cells", "int m = 0;", "int m = 1;"),
      ]
    ),
    (
      "ReduceSum",
      [
        PlantedFault("cells_sum", "sum += {{from}}", "sum -= {{from}}"),
        PlantedFault("cells_sum", "sum += {{from}}", "sum -= {{from}}", way: "lanes"),
      ]
    ),
    (
      "Slice",
      [
        PlantedFault("cells", "int w = 0;", "int w = 1;"),
        PlantedFault("cells_place", "= {{around}}", "= {{around}} + 1.0f"),
        PlantedFault("cells_place", "= {{around}}", "= {{around}} + 1.0f", way: "lanes"),
      ]
    ),
    ("SpaceToDepth", [PlantedFault("cells", "int h = 0;", "int h = 1;")]),
    ("Transpose", [PlantedFault("cells", "int w = 0;", "int w = 1;")]),
    (
      "Upsample",
      [
        PlantedFault("upsample_nearest_forward", "h / FACTOR_H", "h % H"),
        PlantedFault("upsample_nearest_backward", "s < FACTOR_W", "s < FACTOR_W - 1"),
        PlantedFault("upsample_nearest_backward", "sum += ", "sum = ", way: "lanes"),
        PlantedFault("upsample_bilinear_forward", "mixed[columns[w] + 1]", "mixed[columns[w]]"),
        PlantedFault(
          "upsample_bilinear_forward", "+ a * ((1.0f - b)", "+ a * ((1.0f - a)", way: "blocked"),
        PlantedFault(
          "upsample_bilinear_forward", "MIN(row + 1, H - 1)", "MIN(row, H - 1)", way: "lanes"),
        PlantedFault("upsample_bilinear_backward", "sums[below % 2]", "sums[row % 2]"),
        PlantedFault(
          "upsample_bilinear_backward", " a * (1.0f - b) * v", " a * b * v", way: "blocked"),
        PlantedFault(
          "upsample_bilinear_backward", "[below][right] +=", "[below][right] =", way: "lanes"),
      ]
    ),
  ]

  private static let ofPools: [(String, [PlantedFault])] = [
    (
      "AveragePool1D",
      [
        PlantedFault("averagepool2d_forward", "MIN(left + S, W)", "MIN(left + S, W - 1)"),
        PlantedFault("averagepool2d_backward", "w * STRIDE_W", "w * STRIDE_H"),
      ]
    ),
    (
      "AveragePool2D",
      [
        PlantedFault("averagepool2d_forward", "sum += x", "sum = x"),
        PlantedFault("averagepool2d_forward", "* STRIDE_H - PAD_TOP", "* STRIDE_H", way: "lanes"),
        PlantedFault("averagepool2d_backward", "MIN(top + R, H)", "MIN(top + R, H - 1)"),
        PlantedFault(
          "averagepool2d_backward", "(end_row - first_row) *", "(R) *", way: "lanes"),
      ]
    ),
    ("GlobalAveragePool", [PlantedFault("averagepool2d_forward", "sum += ", "sum = ")]),
    ("GlobalMaxPool", [PlantedFault("maxpool2d_forward", "cell > best", "cell < best")]),
    (
      "MaxPool1D",
      [
        PlantedFault("maxpool2d_forward", "MIN(S, W - left)", "MIN(S - 1, W - left)"),
        PlantedFault("maxpool2d_backward", "+= d_y", "= d_y"),
      ]
    ),
    (
      "MaxPool2D",
      [
        PlantedFault("maxpool2d_forward", "better ? cell", "better ? -cell"),
        PlantedFault(
          "maxpool2d_forward", "(masks){0} + (first_row * S + first_column)", "(masks){0}",
          way: "lanes"),
        PlantedFault("maxpool2d_backward", "+= d_y", "= d_y"),
        PlantedFault(
          "maxpool2d_backward", "s < MIN(S, W - left)", "s < MIN(S - 1, W - left)", way: "lanes"),
        PlantedFault("maxpool2d_backward", "won == r * S + s", "won == s * S + r", way: "blocked"),
      ]
    ),
    (
      "MaxUnpool2D",
      [
        PlantedFault("maxunpool2d_forward", "better ? r * S + s", "better ? s * S + r"),
        PlantedFault("maxunpool2d_forward", "won == r * S + s", "won == s * S + r", way: "lanes"),
        PlantedFault("maxunpool2d_forward", "won == r * S + s", "won == s * S + r", way: "blocked"),
        PlantedFault(
          "maxunpool2d_backward", "v = d_y[n][m][top + r][left + s];",
          "v += d_y[n][m][top + r][left + s];"),
        PlantedFault(
          "maxunpool2d_backward", "pick(better, d_y", "pick(cell > 0.0f, d_y", way: "lanes"),
      ]
    ),
    (
      "SumPool2D",
      [PlantedFault("averagepool2d_backward", "const {{type}} v = ", "const {{type}} v = 0.5f * ")]
    ),
  ]

  private static let ofConvolutions: [(String, [PlantedFault])] = [
    ("Conv1D", [PlantedFault("conv2d_generic_backward_data", "- PAD_LEFT", "- PAD_TOP")]),
    (
      "Conv2D",
      [
        PlantedFault(
          "conv2d_generic_forward", "s * DILATION_W - PAD_LEFT", "s * DILATION_W - PAD_TOP"),
        PlantedFault("conv2d_generic_backward_data", "% C_GROUP", "% K_GROUP"),
        PlantedFault("conv2d_generic_backward_weight", "d_bias[m] += sum", "d_bias[m] = sum"),
        PlantedFault("conv2d_flip", "TAPS - 1 - t", "t"),
        PlantedFault("conv2d_flip", "(accumulate ? y[k][t] : 0.0f)", "y[k][t]"),
        PlantedFault("conv2d_positionbias", "[h][w]", "[h][w / 2]"),
        PlantedFault("conv2d_positionbias", "[h][w]", "[h][w / 2]", way: "lanes"),
        PlantedFault("conv2d_positionbias_backward", "accumulate || n > 0", "accumulate"),
        PlantedFault(
          "conv2d_positionbias_backward", "total += sum[l]", "total = sum[l]", way: "lanes"),
        PlantedFault("dropconnect", "0.0f : x[first + i]", "x[first + i] : 0.0f * x[first + i]"),
        PlantedFault("dropconnect", "(accumulate ? y[first + i] : 0.0f)", "0.0f * y[first + i]"),
      ]
    ),
    (
      "ConvTranspose1D",
      [
        PlantedFault(
          "convtranspose2d_generic_forward", "(OW - 1 - shift) / STRIDE_W + 1",
          "(OW - 1 - shift) / STRIDE_W")
      ]
    ),
    (
      "ConvTranspose2D",
      [
        PlantedFault("convtranspose2d_generic_forward", "+ PAD_TOP", "- PAD_TOP"),
        PlantedFault("convtranspose2d_generic_backward_data", "+= tap *", "= tap *"),
        PlantedFault("convtranspose2d_generic_backward_weight", "sum += v", "sum = v"),
      ]
    ),
    (
      "Dense",
      [
        PlantedFault("dense_generic_forward", "+ bias[m]", "- bias[m]"),
        PlantedFault("dense_generic_backward_data", "+= v *", "= v *"),
        PlantedFault("dense_generic_backward_weight", "d_bias[m] += v", "d_bias[m] = v"),
        PlantedFault("dropconnect", "(uint64_t)first", "(uint64_t)(first + 1)"),
      ]
    ),
    (
      "LocallyConnected1D",
      [
        PlantedFault("locallyconnected_forward", "fit < OW ? fit : OW", "fit < OW ? fit : OW - 1"),
        PlantedFault(
          "locallyconnected_backward_data", "w * STRIDE_W + shift", "w * STRIDE_H + shift"),
      ]
    ),
    (
      "LocallyConnected2D",
      [
        PlantedFault(
          "locallyconnected_forward", "weight[m][c][r][s][h][w]", "weight[m][c][r][s][h][0]"),
        PlantedFault("locallyconnected_forward", "bias[m][h][w]", "bias[m][h][0]", way: "lanes"),
        PlantedFault("locallyconnected_backward_data", "row >= H", "row >= H - 1"),
        PlantedFault("locallyconnected_backward_data", "+= tap", "-= tap", way: "lanes"),
        PlantedFault("locallyconnected_backward_weight", "h * STRIDE_H - PAD_TOP", "h * STRIDE_H"),
        PlantedFault(
          "locallyconnected_backward_weight", "sums[w] += products[l]", "sums[w] = products[l]",
          way: "lanes"),
      ]
    ),
    (
      "PositionBias",
      [
        PlantedFault("positionbias_forward", "+ bias", "- bias"),
        PlantedFault("positionbias_forward", "+ bias", "- bias", way: "lanes"),
        PlantedFault("positionbias_forward", "+ bias", "- bias", way: "blocked"),
        PlantedFault(
          "positionbias_forward", "cells[r][w][l] = bias", "cells[r][0][l] = bias", way: "blocked"),
        PlantedFault("positionbias_backward", "+ sums[r][w][l]", "+ sums[r][0][l]", way: "blocked"),
        PlantedFault("positionbias_backward", "{{/pieces}}] += d_y", "{{/pieces}}] = d_y"),
        PlantedFault("positionbias_backward", "sum += ", "sum = ", way: "lanes"),
        PlantedFault("positionbias_backward", "[l] += d_y", "[l] = d_y", way: "blocked"),
        PlantedFault("positionbias_backward", "accumulate ? d_bias", "0 ? d_bias", way: "blocked"),
      ]
    ),
  ]
}
