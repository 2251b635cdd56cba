/// Mistakes in templates that belong to no layer, or to fast kernels of some.
extension PlantedFault {
  static let ofTemplates =
    ofMemory + ofPenalties + ofMatrices + ofConvolutionsInLanes
    + ofConvolutionsInBlocks

  /// Copies between layouts, halos, sums.
  private static let ofMemory = [
    PlantedFault("clear_halo", "= 0.0f", "= 0.5f", way: "lanes"),
    PlantedFault("copy", "int i = 0;", "int i = 1;"),
    PlantedFault("copy", "y[n][i] = x[n][i]", "y[n][i] = x[n][0]"),
    PlantedFault("loop_nest", "{{> after}}", "if (0)\n    {{> after}}"),
    PlantedFault("clear_halo", "inside ? W - RIGHT", "inside ? W", way: "lanes"),
    PlantedFault("clear_halo", "h < H - BOTTOM", "h <= H - BOTTOM", way: "lanes"),
    PlantedFault("batchnorm_fold", "scale[m]", "scale[0]", way: "lanes"),
    PlantedFault("conv2d_generic_backward_weight", "m / K_GROUP * C_GROUP", "m / K_GROUP"),
    PlantedFault("convtranspose2d_generic_backward_weight", "PAD_TOP", "PAD_LEFT"),
    PlantedFault("reorder", "int c = 0;", "int c = 1;", way: "blocked"),
    PlantedFault("reorder_images", "int h = 0;", "int h = 1;", way: "chosen"),
    PlantedFault("copy_parameters", "FIRST + i", "i", way: "lanes"),
    PlantedFault(
      "copy_parameter_ranges", "i < ranges[range].count", "i < ranges[range].count - 1",
      way: "lanes"),
    PlantedFault("padded_copy", "i < COUNT ?", "i < COUNT - 1 ?", way: "blocked"),
    PlantedFault("weight_clear", "i < COUNT", "i < COUNT - 1"),
    PlantedFault("support_dot", "i % 8] += a[i]", "i % 8] = a[i]"),
    PlantedFault("support_images", "lane < images", "lane <= images", way: "lanes"),
    PlantedFault("support_images", "MIN(LANES, images)", "LANES", way: "lanes"),
    PlantedFault("support_lane_sums", "half > 0", "half > 1", way: "lanes"),
    PlantedFault(
      "support_features", "MIN(f + l, count - 1)", "MIN(f + l, count - 2)", way: "lanes"),
    PlantedFault("support_once", "return *", "return 2.0f * *", way: "narrow"),
    PlantedFault("support_store", "if (adds)", "if (!adds)", way: "lanes"),
    PlantedFault("support_store_floats", "l < count", "l < count - 1", way: "lanes"),
    PlantedFault(
      "support_store_taps", "i < count; i++) at[i]", "i < count - 1; i++) at[i]", way: "blocked"),
    PlantedFault("support_transpose", "zip_high(v[i]", "zip_low(v[i]", way: "blocked"),
  ]

  private static let ofPenalties = [
    PlantedFault("support_penalize", "2.0f * l2", "l2"),
    PlantedFault("support_penalize", "(w > 0.0f) - (w < 0.0f)", "w > 0.0f"),
    PlantedFault("regularization", "ranges[range].part +", ""),
    PlantedFault("regularization_sum", "part < PARTS", "part < PARTS - 1"),
  ]

  private static let ofMatrices = [
    PlantedFault(
      "dense_lanes_forward", "MIN(n0 + i, groups - 1)", "MIN(n0, groups - 1)", way: "lanes"),
    PlantedFault("dense_lanes_backward_data", "f0 + t < tile", "f0 + t <= tile", way: "lanes"),
    PlantedFault("dense_lanes_backward_weight", "MIN(b + l,", "MIN(l,", way: "lanes"),
    PlantedFault("dense_large_forward", "if (end == F)", "if (f0 == 0)", way: "lanes"),
    PlantedFault("dense_large_backward_data", "strip[k][t0 + t]", "strip[k][t]", way: "lanes"),
    PlantedFault("dense_large_backward_weight", "n0 > 0 || accumulate", "n0 > 0", way: "lanes"),
    PlantedFault(
      "dense_rows_forward", "f = F / LANES * LANES", "f = F / LANES * LANES + 1", way: "chosen"),
    PlantedFault("dense_rows_backward_data", "d_pre[i + j][k]", "d_pre[i][k]", way: "chosen"),
    PlantedFault("dense_rows_backward_weight", "n0 > 0 || accumulate", "n0 > 0", way: "chosen"),
  ]

  private static let ofConvolutionsInLanes = [
    PlantedFault(
      "conv2d_lanes_forward", "(more & q) | (~more & won)", "(more & q) | won", way: "lanes"),
    PlantedFault(
      "conv2d_lanes_backward_data", "MIN(R - 1, h + PAD_TOP)", "MIN(R - 2, h + PAD_TOP)",
      way: "lanes"),
    PlantedFault(
      "conv2d_lanes_backward_data", "taps[t] = once", "taps[0] = once", way: "narrow"),
    PlantedFault(
      "conv2d_lanes_backward_data", "left + TW <= 0", "left + TW <= 1", way: "narrow"),
    PlantedFault(
      "conv2d_lanes_backward_weight", "d_bias[m - m0] += v", "d_bias[m - m0] = v", way: "lanes"),
    PlantedFault(
      "conv2d_lanes_backward_weight_winners", "won % POOL_W", "won / POOL_W", way: "lanes"),
    PlantedFault(
      "conv2d_lanes_backward_weight_winners", "n > begin || l0 > 0", "n > begin", way: "lanes"),
    PlantedFault(
      "conv2d_lanes_backward_data_winners", "w + PAD_LEFT", "w", way: "narrow"),
    PlantedFault("conv2d_winners_pack", "LANES * block + l;", "l;", way: "narrow"),
    PlantedFault("conv2d_winners_weight_sum", "c < MIN(c0 + LANES, C)", "c < C - 1", way: "lanes"),
    PlantedFault("conv2d_lanes_weight_sum", "chunk < chunks", "chunk < chunks - 1", way: "lanes"),
    PlantedFault("conv2d_depthwise_forward", "DILATION_W * s", "DILATION_H * s", way: "blocked"),
    PlantedFault("conv2d_depthwise_backward_data", "(w0 + j) + phase", "(w0 + j)", way: "blocked"),
    PlantedFault(
      "conv2d_depthwise_backward_weight", "DILATION_W * s", "DILATION_H * s", way: "blocked"),
    PlantedFault(
      "conv2d_depthwise_pack", "weight[LANES * m + l][t]", "weight[LANES * m + l][0]",
      way: "blocked"),
    PlantedFault(
      "conv2d_depthwise_weight_sum", "chunk < chunks", "chunk < chunks - 1", way: "blocked"),
    PlantedFault(
      "conv2d_expanded_depthwise_forward", "map[t][PAD_LEFT + w] = v", "map[t][w] = v",
      way: "inference"),
    PlantedFault(
      "conv2d_expanded_depthwise_forward", "STRIDE_W * j + s", "j + s", way: "inference"),
  ]

  private static let ofConvolutionsInBlocks = [
    PlantedFault(
      "conv2d_blocked_forward", "H + PAD_TOP - STRIDE_H * POOL_H * h", "H - STRIDE_H * POOL_H * h",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_forward", "W + PAD_LEFT - s - POOL_W * w0", "W - s - POOL_W * w0",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_forward", "edge != upper + 2 * lower", "edge != lower + 2 * upper",
      way: "narrow"),
    PlantedFault(
      "conv2d_blocked_forward", "best[t][p] = v", "best[t][p] = acc[t][POOL_W * p]",
      way: "narrow"),
    PlantedFault(
      "conv2d_blocked_forward", "(less ? OW : WIDE)", "(less ? OW - columns : WIDE)",
      way: "narrow"),
    PlantedFault(
      "conv2d_blocked_backward_data", "MIN(R - 1, h + PAD_TOP)", "MIN(R - 2, h + PAD_TOP)",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_backward_data", "POOL_W * OW + s - PAD_LEFT - w0", "POOL_W * OW - w0",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_backward_weight", "(H + PAD_TOP - r + STRIDE_H - 1)", "(H + PAD_TOP - r)",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_backward_weight_winners", "won % POOL_W", "won / POOL_W", way: "narrow"),
    PlantedFault(
      "conv2d_blocked_backward_data_winners", "top + ROWS, H", "top + ROWS - 1, H", way: "narrow"),
    PlantedFault("conv2d_blocked_pack", "c % CI", "0", way: "blocked"),
    PlantedFault(
      "conv2d_blocked_pack_transposed", "taps[R * S * l + t]", "taps[R * S * l]",
      way: "blocked"),
    PlantedFault(
      "conv2d_blocked_weight_sum", "chunk < chunks", "chunk < chunks - 1", way: "blocked"),
    PlantedFault("convtranspose2d_blocked_forward", "s0 + q % TS", "s0", way: "blocked"),
    PlantedFault(
      "convtranspose2d_blocked_backward_data", "phase[S * j][l]", "phase[j][l]", way: "blocked"),
    PlantedFault(
      "convtranspose2d_blocked_backward_weight", "n > begin || top > 0", "top > 0", way: "blocked"),
    PlantedFault(
      "convtranspose2d_blocked_pack", "[LANES * m + l][t]", "[LANES * m + l][0]", way: "blocked"),
    PlantedFault(
      "convtranspose2d_blocked_weight_sum", "tap >= LANES * K", "tap >= LANES", way: "blocked"),
  ]
}
