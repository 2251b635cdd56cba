/// A mistake or more for each loss of the registry, in kernels for numbers and for images in lanes.
extension PlantedFault {
  static let ofLosses: [(String, [PlantedFault])] = [
    (
      "BinaryCrossEntropy",
      [
        PlantedFault("binary_cross_entropy_loss", "p > 0.0f ? -p", "p < 0.0f ? -p"),
        PlantedFault("binary_cross_entropy_loss", "{{slope}}", "-({{slope}})", way: "lanes"),
        PlantedFault("binary_probability_loss", "? {{slope}}", "? -({{slope}})"),
        PlantedFault(
          "binary_probability_loss", "> 1.0f - least ? 1.0f - least", "> 0.6f ? 0.6f", way: "lanes"),
      ]
    ),
    (
      "BinaryHinge",
      [
        PlantedFault("binary_hinge_loss", "2.0f * t - 1.0f", "2.0f * t + 1.0f"),
        PlantedFault("binary_hinge_loss", "? -side", "? side", way: "lanes"),
      ]
    ),
    (
      "CategoricalCrossEntropy",
      [
        PlantedFault("cross_entropy_loss", "mass[i] * log_float(sum[i])", "log_float(sum[i])"),
        PlantedFault("cross_entropy_loss", "mass[i] += share", "mass[i] = share", way: "lanes"),
        PlantedFault("cross_entropy_loss_slopes", "probability - share", "probability + share"),
        PlantedFault(
          "cross_entropy_loss_slopes", "mass[i] * probability", "probability", way: "lanes"),
        PlantedFault("probability_loss_slopes", "share / score[i]", "share * score[i]"),
        PlantedFault(
          "probability_loss_slopes", "share / score[i]", "share * score[i]", way: "lanes"),
        PlantedFault("support_ln_scalar", "is_small ? 15.9423851f : 0.0f", "15.9423851f"),
      ]
    ),
    (
      "CosineProximity",
      [
        PlantedFault("cosine_loss", "aim[i] += t * t", "aim[i] += t * p"),
        PlantedFault("cosine_loss", "own[i] += p * p", "own[i] = p * p", way: "lanes"),
        PlantedFault("cosine_loss_slopes", "t + loss[i] * p", "t - loss[i] * p"),
        PlantedFault("cosine_loss_slopes", "-scale", "scale", way: "lanes"),
      ]
    ),
    (
      "CustomLoss",
      [
        PlantedFault("custom_loss", "slope = {{slope}}", "slope = 2.0f * ({{slope}})"),
        PlantedFault("custom_loss_step", "= {{text}}", "= -({{text}})"),
        PlantedFault("custom_loss_step", "= {{text}}", "= -({{text}})", way: "lanes"),
        PlantedFault("support_sigmoid_scalar", "(-x)", "(x)"),
      ]
    ),
    (
      "Dice",
      [
        PlantedFault("dice_scores", "(2.0 * both + {{smoothing}})", "(2.0 * both)"),
        PlantedFault(
          "dice_scores", "both += sums[n][h][k][0]", "both = sums[n][h][k][0]", way: "lanes"),
        PlantedFault("dice_slopes", "mean[i] /= sum[i]", "mean[i] *= sum[i]"),
        PlantedFault("dice_slopes", "wanted[i] < 0 ? 0.0f : scale", "scale"),
        PlantedFault("dice_slopes", "? factor[0] + factor[1]", "? factor[0]", way: "lanes"),
        PlantedFault("dice_sums", "share[i] + (float)is_own", "share[i]"),
        PlantedFault(
          "dice_sums", "n * LANES + i % LANES", "n * LANES + i / LANES % LANES", way: "lanes"),
      ]
    ),
    (
      "Huber",
      [
        PlantedFault("huber_loss", "0.5f * slope", "0.4f * slope"),
        PlantedFault("huber_loss", "? -{{delta}}", "? {{delta}}", way: "lanes"),
      ]
    ),
    (
      "KLDivergence",
      [
        PlantedFault("kl_divergence_loss", "t * (ln_float(t) - p)", "(ln_float(t) - p)"),
        PlantedFault("kl_divergence_loss", "? -t", "? t", way: "lanes"),
        PlantedFault("kl_probability_loss", "-t / y", "-t"),
        PlantedFault("kl_probability_loss", "- ln_float(y)", "+ ln_float(y)", way: "lanes"),
      ]
    ),
    (
      "MeanAbsoluteError",
      [
        PlantedFault("absolute_error_loss", "p < t ? -1.0f", "p < t ? 0.0f"),
        PlantedFault("absolute_error_loss", "fabsf(p - t)", "(p - t)", way: "lanes"),
        PlantedFault("loss_values", "total += ", "total -= "),
        PlantedFault("loss_values", "w < {{to}}", "w < {{to}} - 1"),
        PlantedFault(
          "loss_values_lanes", "< batch ? step : 0.0f", ">= 0 ? step : 0.0f", way: "lanes"),
        PlantedFault("loss_values_lanes", "MIN(n * LANES + l, batch - 1)", "n", way: "lanes"),
      ]
    ),
    (
      "MeanSquaredError",
      [
        PlantedFault("squared_error_loss", "2.0f * difference", "difference"),
        PlantedFault("squared_error_loss", "2.0f * difference", "difference", way: "lanes"),
      ]
    ),
    (
      "MultiClassHinge",
      [
        PlantedFault("multiclass_hinge_loss", "!is_own && (", "("),
        PlantedFault("multiclass_hinge_loss", "+ best[i] - own[i]", "+ best[i]", way: "lanes"),
        PlantedFault("multiclass_hinge_loss_slopes", "== rival[i] ? 1.0f", "== rival[i] ? 0.5f"),
        PlantedFault(
          "multiclass_hinge_loss_slopes", "loss[i] > 0.0f", "loss[i] >= 0.0f", way: "lanes"),
      ]
    ),
    (
      "MultiLabelCrossEntropy",
      [
        PlantedFault("binary_cross_entropy_loss", "-p : p", "p : -p"),
        PlantedFault("binary_probability_loss", "? {{slope}}", "? -({{slope}})"),
      ]
    ),
    (
      "NegativeLogLikelihood",
      [
        PlantedFault("log_likelihood_loss", "-= share", "+= share"),
        PlantedFault("log_likelihood_loss", "-= share", "+= share", way: "lanes"),
        PlantedFault("log_likelihood_loss_slopes", "-scale", "scale"),
        PlantedFault("log_likelihood_loss_slopes", "-scale", "scale", way: "lanes"),
      ]
    ),
    (
      "Poisson",
      [
        PlantedFault("poisson_log_loss", "slope = rate - t", "slope = rate + t"),
        PlantedFault("poisson_log_loss", "rate - t * p", "rate - p", way: "lanes"),
        PlantedFault("poisson_loss", "t / y", "t * y"),
        PlantedFault("poisson_loss", "- t * ln_float(y)", "- ln_float(y)", way: "lanes"),
      ]
    ),
    (
      "SoftmaxCrossEntropy",
      [
        PlantedFault("softmax_cross_entropy", "share - 1.0f", "share - 0.9f"),
        PlantedFault(
          "softmax_cross_entropy_lanes", "pick(labels >= 0, slope, (lanes){0})", "slope",
          way: "lanes"),
        PlantedFault(
          "softmax_cross_entropy_lanes", "pick(labels == k, x[n][k], score)", "x[n][k]",
          way: "lanes"),
        PlantedFault(
          "softmax_cross_entropy_maps", "chosen[i] = log_float(sum[i]) -", "chosen[i] = sum[i] -"),
        PlantedFault(
          "softmax_cross_entropy_maps", "image < batch ? label[image]",
          "1 ? label[MIN(image, batch - 1)]", way: "lanes"),
        PlantedFault("loss_mean", "n < {{count}}", "n < {{count}} - 1"),
        PlantedFault("loss_pixels", "total += {{weighted}}", "total = {{weighted}}"),
        PlantedFault("loss_pixels", "i = w * LANES + l", "i = w * LANES", way: "lanes"),
      ]
    ),
  ]
}
