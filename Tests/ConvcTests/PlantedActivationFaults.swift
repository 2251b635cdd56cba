/// A mistake or more for each activation and normalisation of the registry, in kernels for numbers and for vectors.
extension PlantedFault {
  /// The same mistake in a template for numbers and in its twin for vectors.
  private static func both(_ name: String, _ text: String, _ replacement: String) -> [PlantedFault]
  {
    ["scalar", "vector"].map { PlantedFault("\(name)_\($0)", text, replacement) }
  }

  static let ofActivations: [(String, [PlantedFault])] = [
    (
      "Clip",
      [
        PlantedFault("clip_scalar", "? {{minimum}} :", "? {{maximum}} :"),
        PlantedFault("clip_vector", "v > {{maximum}}", "v < {{maximum}}"),
        PlantedFault("clip_backward_scalar", "&&", "||"),
        PlantedFault("clip_backward_vector", ") & (", ") | ("),
      ]
    ),
    (
      "ELU",
      both("elu_backward", "+ {{alpha}}", "- {{alpha}}")
        + both("elu", "{{alpha}} * expm1", "{{alpha}} + expm1")
    ),
    (
      "GELU",
      both("gelu", "0.707106781f", "0.717106781f")
        + both("gelu_backward", "0.398942280f", "0.389942280f")
        + both("gelu_tanh", "0.044715f", "0.047415f")
        + both("gelu_tanh_backward", "0.134145f", "0.044715f")
        + [
          PlantedFault("support_erf_scalar", "5.31014753e-2f", "5.13014753e-2f"),
          PlantedFault("support_erf_vector", "5.31014753e-2f", "5.13014753e-2f"),
        ]
    ),
    (
      "HardSigmoid",
      [
        PlantedFault("hardsigmoid_scalar", "v > 1.0f ? 1.0f : v", "v"),
        PlantedFault("hardsigmoid_vector", "v > 1.0f", "v > 2.0f"),
        PlantedFault("hardsigmoid_backward_scalar", "&&", "||"),
        PlantedFault("hardsigmoid_backward_vector", ") & (", ") | ("),
      ]
    ),
    (
      "HardSwish",
      both("hardswish", ">= 3.0f", ">= 6.0f")
        + both("hardswish_backward", "0.333333333f", "0.166666667f")
        + both("hardswish_backward", "<= -3.0f", "<= -6.0f")
    ),
    (
      "LeakyReLU",
      both("leakyrelu", "{{slope}} * v", "-{{slope}} * v")
        + both("leakyrelu_backward", "> 0.0f", "< 0.0f")
    ),
    (
      "LogSoftmax",
      [
        PlantedFault("softmax_forward", "largest[i]) - sum[i]", "largest[i]) + sum[i]"),
        PlantedFault("softmax_backward", "exp_float(result[i]) * sum", "result[i] * sum"),
        PlantedFault(
          "softmax_backward", "exp_float(result[i]) * sum", "result[i] * sum", way: "lanes"),
        PlantedFault("softmax_line_forward", "largest) - logarithm", "largest) + logarithm"),
        PlantedFault("softmax_streamed_forward", "p > 0 && p <=", "p > 0 && p <", way: "lanes"),
        PlantedFault(
          "softmax_streamed_backward", "start + (p - 1) * PIECE", "start + p * PIECE", way: "lanes"),
        PlantedFault(
          "support_stream_line", "*(const lanes *)(line", "-*(const lanes *)(line", way: "lanes"),
        PlantedFault("softmax_line_backward", "exp_float(result[k]) * sums", "result[k] * sums"),
        PlantedFault("support_log_scalar", "m *= 0.5f;", ""),
        PlantedFault("support_log_vector", "0.333333876f", "0.233333876f"),
      ]
    ),
    (
      "PReLU",
      [
        PlantedFault("prelu_scalar", "v * {{slope}}", "-v * {{slope}}"),
        PlantedFault("prelu_vector", "v * {{slope}}", "-v * {{slope}}"),
        PlantedFault("prelu_backward_scalar", "> 0.0f", "< 0.0f"),
        PlantedFault("prelu_backward_vector", "> 0.0f", "< 0.0f"),
        PlantedFault("prelu_gradients", "0.0f : value[i] *", "0.0f : -value[i] *"),
        PlantedFault("prelu_gradients", "sums[j] += ", "sums[j] = ", way: "lanes"),
        PlantedFault("prelu_gradients", "sums[j] += ", "sums[j] = ", way: "blocked"),
        PlantedFault("prelu_prepare", "slope[{{index}}]", "slope[{{index}} / 2]"),
        PlantedFault("prelu_slope", "accumulate ? d_slope", "0 ? d_slope"),
      ]
    ),
    (
      "ReLU",
      both("relu", "v < 0.0f", "v < -0.5f")
        + both("relu_backward", "> 0.0f", ">= 0.0f")
    ),
    ("ReLU6", both("clip", "v > {{maximum}}", "v < {{minimum}}")),
    (
      "SELU",
      both("selu", "1.75809934f", "1.78509934f")
        + both("selu_backward", "1.05070099f", "1.0f")
        + [
          PlantedFault("support_expm1_scalar", "(v * v) - odd", "(v * v) + odd"),
          PlantedFault("support_expm1_vector", "(v * v) - odd", "(v * v) + odd"),
        ]
    ),
    (
      "Sigmoid",
      both("sigmoid", "(-v)", "(v)")
        + both("sigmoid_backward", "(1.0f - ", "(1.0f + ")
        + [
          PlantedFault("support_exp_scalar", "4.16683908e-2f", "4.61683908e-2f"),
          PlantedFault("support_exp_vector", "4.16683908e-2f", "4.61683908e-2f"),
        ]
    ),
    (
      "SiLU",
      both("silu", "v /= 1.0f +", "v /= 1.0f -")
        + both("silu_backward", "value * (1.0f -", "(1.0f -")
    ),
    (
      "Softmax",
      [
        PlantedFault("softmax_forward", "sum[i] += share[i]", "sum[i] = share[i]"),
        PlantedFault("softmax_forward", "sum[i] += share[i]", "sum[i] = share[i]", way: "lanes"),
        PlantedFault(
          "softmax_forward", "join_sums((float", "if (cells < 0) join_sums((float", way: "blocked"),
        PlantedFault("softmax_backward", "share[i] * (d_after[i] - ", "share[i] * (d_after[i] + "),
        PlantedFault(
          "softmax_backward", "join_sums(sum", "if (cells < 0) join_sums(sum", way: "blocked"),
        PlantedFault(
          "support_join_largest", "(lanes){0} + v[0][j]", "v[0]", way: "blocked"),
        PlantedFault("softmax_line_forward", "sums[0] += sums[j]", "sums[0] = sums[j]"),
        PlantedFault("support_join_sums", "+ sums[j]", "+ sums[0]", way: "blocked"),
        PlantedFault("softmax_line_backward", "share[k] * (d_after[k] - ", "(d_after[k] - "),
      ]
    ),
    (
      "Softplus",
      both("softplus", "(v)", "(-v)")
        + both("softplus_backward", "-expm1", "1.0f + expm1")
        + [
          PlantedFault("support_softplus_scalar", "(2.0f + e)", "(1.0f + e)"),
          PlantedFault("support_softplus_vector", "0.200108193f", "0.100108193f"),
        ]
    ),
    (
      "Softsign",
      both("softsign", "1.0f +", "1.0f -") + both("softsign_backward", "1.0f -", "1.0f +")
    ),
    (
      "Tanh",
      both("tanh_backward", "1.0f - ", "1.0f + ")
        + [
          PlantedFault("tanh_scalar", "tanh_float(v)", "tanh_float(0.5f * v)"),
          PlantedFault("tanh_vector", "tanh_lanes(v)", "tanh_lanes(0.5f * v)"),
          PlantedFault("support_tanh_parts_scalar", "2.58770332e-2f", "2.85770332e-2f"),
          PlantedFault("support_tanh_scalar", "above_float(v * v)", "above_float(v)"),
          PlantedFault("support_tanh_parts_vector", "2.58770332e-2f", "2.85770332e-2f"),
          PlantedFault("support_tanh_vector", "above_lanes(v * v)", "above_lanes(v)"),
        ]
    ),
  ]

  static let ofNormalisations: [(String, [PlantedFault])] = [
    (
      "BatchNorm2D",
      both("batchnorm_batch_backward", "+ {{offset}}", "- {{offset}}")
        + both("batchnorm_batch", "- {{mean}}", "+ {{mean}}")
        + both("batchnorm_centred", "- {{mean}}", "+ {{mean}}")
        + both("batchnorm", "+ {{shift}}", "- {{shift}}")
        + both("batchnorm_frozen_backward", "*= ", "/= ")
        + [
          PlantedFault("batchnorm_images", "v = ", "v += ", way: "lanes"),
          PlantedFault("batchnorm_prepare", "[c] + {{epsilon}}", "[c] - {{epsilon}}"),
          PlantedFault("batchnorm_slopes", "deviation * deviation / count", "deviation / count"),
          PlantedFault("batchnorm_slopes", "d_bias[c] + d_shift", "d_shift"),
          PlantedFault("batchnorm_statistics", "+ cells * distance * distance", ""),
          PlantedFault("batchnorm_statistics", "MAX(count - 1.0, 1.0)", "count"),
          PlantedFault("channel_sums", "total_x += sum_x", "total_x = sum_x"),
          PlantedFault("channel_sums", "total += sum", "total = sum", way: "lanes"),
          PlantedFault("channel_sums", "total_x += sum_x", "total_x = sum_x", way: "blocked"),
        ]
    ),
    (
      "GroupNorm",
      [
        PlantedFault("groupnorm_forward", "* before / (before + 1)", "/ (before + 1)"),
        PlantedFault("groupnorm_forward", "PIXELS * distance", "distance", way: "lanes"),
        PlantedFault(
          "groupnorm_forward", "/ COUNT + {{epsilon}}", "/ (COUNT - 1) + {{epsilon}}",
          way: "blocked"),
        PlantedFault("groupnorm_backward", "inverse * inverse * inverse", "inverse * inverse"),
        PlantedFault(
          "groupnorm_backward", "-total[s] * inverse", "total[s] * inverse", way: "lanes"),
        PlantedFault(
          "groupnorm_backward", "moment[j] += products[j]", "moment[j] = products[j]",
          way: "blocked"),
        PlantedFault("groupnorm_parameters", "bias += parts[n][1][c]", "bias = parts[n][1][c]"),
        PlantedFault("groupnorm_parameters", "accumulate ? d_weight[c]", "0 ? d_weight[c]"),
      ]
    ),
    (
      "InstanceNorm",
      [
        PlantedFault("groupnorm_backward", "-product[s]", "product[s]"),
        PlantedFault("groupnorm_forward", "- total[j] * shift", "+ total[j] * shift", way: "lanes"),
        PlantedFault(
          "groupnorm_forward", "- total[j] * shift", "+ total[j] * shift", way: "blocked"),
      ]
    ),
    (
      "LayerNorm",
      [
        PlantedFault(
          "groupnorm_forward", "mean[s] += distance / (before + 1)", "mean[s] += distance / MAPS"),
        PlantedFault("groupnorm_backward", "total[s] += ", "total[s] = "),
      ]
    ),
    (
      "LocalResponseNorm",
      [
        PlantedFault("lrn_all_forward", "value[i] * sum[i];", "value[i] / sum[i];"),
        PlantedFault(
          "lrn_all_forward", "join_sums(sum", "if (cells < 0) join_sums(sum", way: "blocked"),
        PlantedFault("lrn_all_backward", "- value[i] * slope[i]", "+ value[i] * slope[i]"),
        PlantedFault(
          "lrn_all_backward", "- value[i] * slope[i]", "+ value[i] * slope[i]", way: "lanes"),
        PlantedFault(
          "lrn_all_backward", "join_sums(slope", "if (cells < 0) join_sums(slope", way: "blocked"),
        PlantedFault("lrn_channels_forward", "d <= 2 * HALF", "d < 2 * HALF"),
        PlantedFault("lrn_channels_forward", "m >= C", "m > C - 2", way: "lanes"),
        PlantedFault("lrn_channels_forward", "m + HALF + 1", "m + HALF"),
        PlantedFault("lrn_channels_backward", "total + added[1]", "total + added[0]"),
        PlantedFault("lrn_channels_backward", "q <= HALF", "q < HALF", way: "lanes"),
        PlantedFault("lrn_channels_backward", "slopes[j % SIZE]", "slopes[m % SIZE]"),
        PlantedFault("lrn_space_forward", "h + {{rows}} + 1", "h + {{rows}}"),
        PlantedFault("lrn_space_forward", "s < SIZE", "s < SIZE - 1", way: "lanes"),
        PlantedFault(
          "lrn_space_forward", "MAX(0, h - {{rows}})", "MAX(1, h - {{rows}})", way: "blocked"),
        PlantedFault("lrn_space_backward", "- {{coefficient}}", "+ {{coefficient}}"),
        PlantedFault("lrn_sequence_backward", "- {{coefficient}}", "+ {{coefficient}}"),
        PlantedFault(
          "lrn_sequence_backward", "left - w0 + 2 * HALF", "left - w0 + HALF", way: "lanes"),
        PlantedFault("lrn_space_rows_forward", "h0 - 1;", "h0;"),
        PlantedFault("lrn_space_rows_forward", "r >= H ?", "r >= h0 + ROWS ?"),
        PlantedFault("lrn_space_rows_backward", "- {{coefficient}}", "+ {{coefficient}}"),
        PlantedFault("lrn_space_rows_backward", "[(turn + d) % SIZE]", "[(turn + d) % 2]"),
        PlantedFault("lrn_space_backward", "h + {{rows}} + 1", "h + {{rows}}", way: "lanes"),
        PlantedFault("lrn_space_lanes_backward", "j < width", "j < width - 1", way: "lanes"),
        PlantedFault(
          "lrn_space_lanes_backward", "h + d >= H ?", "h + d >= H - 1 ?", way: "blocked"),
        PlantedFault("support_inverse_power_scalar", "0.25f + scale", "0.20f + scale"),
        PlantedFault("support_inverse_sqrt_scalar", "0.49999835f", "0.4f"),
        PlantedFault(
          "support_inverse_power_vector", "0.25f + scale", "0.20f + scale", way: "lanes"),
        PlantedFault("support_inverse_sqrt_vector", "0.49999835f", "0.4f", way: "lanes"),
      ]
    ),
    (
      "MeanVarianceNorm",
      [
        PlantedFault("groupnorm_backward", "-total[s] / COUNT", "total[s] / COUNT"),
        PlantedFault("groupnorm_forward", "sqrt(MAX", "(MAX"),
        PlantedFault("groupnorm_forward", "sum[j] += distance", "sum[j] = distance", way: "lanes"),
      ]
    ),
  ]
}
