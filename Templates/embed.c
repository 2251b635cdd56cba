#include "convc_templates.h"

// Each template is two lines, sorted by name; EmbeddedTemplatesTests compares the list with the folder.
#pragma clang diagnostic ignored "-Wc23-extensions"

// Ends the text before it and begins the next.
#define TEMPLATE(name) , 0}}, {#name, (const unsigned char[]) {

static const convc_template texts[] = {{"", (const unsigned char[]) {
#embed "../Sources/ConvcABI/include/convc_abi.h"

TEMPLATE(absolute_error_loss)
#embed "Kernels/absolute_error_loss.c.mustache"
TEMPLATE(add_scalar)
#embed "Kernels/add_scalar.c.mustache"
TEMPLATE(add_vector)
#embed "Kernels/add_vector.c.mustache"
TEMPLATE(averagepool2d_backward)
#embed "Kernels/averagepool2d_backward.c.mustache"
TEMPLATE(averagepool2d_forward)
#embed "Kernels/averagepool2d_forward.c.mustache"
TEMPLATE(batchnorm_batch_backward_scalar)
#embed "Kernels/batchnorm_batch_backward_scalar.c.mustache"
TEMPLATE(batchnorm_batch_backward_vector)
#embed "Kernels/batchnorm_batch_backward_vector.c.mustache"
TEMPLATE(batchnorm_batch_scalar)
#embed "Kernels/batchnorm_batch_scalar.c.mustache"
TEMPLATE(batchnorm_batch_vector)
#embed "Kernels/batchnorm_batch_vector.c.mustache"
TEMPLATE(batchnorm_centred_scalar)
#embed "Kernels/batchnorm_centred_scalar.c.mustache"
TEMPLATE(batchnorm_centred_vector)
#embed "Kernels/batchnorm_centred_vector.c.mustache"
TEMPLATE(batchnorm_fold)
#embed "Kernels/batchnorm_fold.c.mustache"
TEMPLATE(batchnorm_frozen_backward_scalar)
#embed "Kernels/batchnorm_frozen_backward_scalar.c.mustache"
TEMPLATE(batchnorm_frozen_backward_vector)
#embed "Kernels/batchnorm_frozen_backward_vector.c.mustache"
TEMPLATE(batchnorm_images)
#embed "Kernels/batchnorm_images.c.mustache"
TEMPLATE(batchnorm_prepare)
#embed "Kernels/batchnorm_prepare.c.mustache"
TEMPLATE(batchnorm_scalar)
#embed "Kernels/batchnorm_scalar.c.mustache"
TEMPLATE(batchnorm_slopes)
#embed "Kernels/batchnorm_slopes.c.mustache"
TEMPLATE(batchnorm_statistics)
#embed "Kernels/batchnorm_statistics.c.mustache"
TEMPLATE(batchnorm_vector)
#embed "Kernels/batchnorm_vector.c.mustache"
TEMPLATE(binary_cross_entropy_loss)
#embed "Kernels/binary_cross_entropy_loss.c.mustache"
TEMPLATE(binary_hinge_loss)
#embed "Kernels/binary_hinge_loss.c.mustache"
TEMPLATE(binary_probability_loss)
#embed "Kernels/binary_probability_loss.c.mustache"
TEMPLATE(cells)
#embed "Kernels/cells.c.mustache"
TEMPLATE(cells_place)
#embed "Kernels/cells_place.c.mustache"
TEMPLATE(cells_sum)
#embed "Kernels/cells_sum.c.mustache"
TEMPLATE(channel_sums)
#embed "Kernels/channel_sums.c.mustache"
TEMPLATE(clear_halo)
#embed "Kernels/clear_halo.c.mustache"
TEMPLATE(clip_backward_scalar)
#embed "Kernels/clip_backward_scalar.c.mustache"
TEMPLATE(clip_backward_vector)
#embed "Kernels/clip_backward_vector.c.mustache"
TEMPLATE(clip_scalar)
#embed "Kernels/clip_scalar.c.mustache"
TEMPLATE(clip_vector)
#embed "Kernels/clip_vector.c.mustache"
TEMPLATE(conv2d_blocked_backward_data)
#embed "Kernels/conv2d_blocked_backward_data.c.mustache"
TEMPLATE(conv2d_blocked_backward_data_winners)
#embed "Kernels/conv2d_blocked_backward_data_winners.c.mustache"
TEMPLATE(conv2d_blocked_backward_weight)
#embed "Kernels/conv2d_blocked_backward_weight.c.mustache"
TEMPLATE(conv2d_blocked_backward_weight_winners)
#embed "Kernels/conv2d_blocked_backward_weight_winners.c.mustache"
TEMPLATE(conv2d_blocked_forward)
#embed "Kernels/conv2d_blocked_forward.c.mustache"
TEMPLATE(conv2d_blocked_pack)
#embed "Kernels/conv2d_blocked_pack.c.mustache"
TEMPLATE(conv2d_blocked_pack_transposed)
#embed "Kernels/conv2d_blocked_pack_transposed.c.mustache"
TEMPLATE(conv2d_blocked_weight_sum)
#embed "Kernels/conv2d_blocked_weight_sum.c.mustache"
TEMPLATE(conv2d_depthwise_backward_data)
#embed "Kernels/conv2d_depthwise_backward_data.c.mustache"
TEMPLATE(conv2d_depthwise_backward_weight)
#embed "Kernels/conv2d_depthwise_backward_weight.c.mustache"
TEMPLATE(conv2d_depthwise_forward)
#embed "Kernels/conv2d_depthwise_forward.c.mustache"
TEMPLATE(conv2d_depthwise_pack)
#embed "Kernels/conv2d_depthwise_pack.c.mustache"
TEMPLATE(conv2d_depthwise_weight_sum)
#embed "Kernels/conv2d_depthwise_weight_sum.c.mustache"
TEMPLATE(conv2d_expanded_depthwise_forward)
#embed "Kernels/conv2d_expanded_depthwise_forward.c.mustache"
TEMPLATE(conv2d_flip)
#embed "Kernels/conv2d_flip.c.mustache"
TEMPLATE(conv2d_generic_backward_data)
#embed "Kernels/conv2d_generic_backward_data.c.mustache"
TEMPLATE(conv2d_generic_backward_weight)
#embed "Kernels/conv2d_generic_backward_weight.c.mustache"
TEMPLATE(conv2d_generic_forward)
#embed "Kernels/conv2d_generic_forward.c.mustache"
TEMPLATE(conv2d_lanes_backward_data)
#embed "Kernels/conv2d_lanes_backward_data.c.mustache"
TEMPLATE(conv2d_lanes_backward_data_winners)
#embed "Kernels/conv2d_lanes_backward_data_winners.c.mustache"
TEMPLATE(conv2d_lanes_backward_weight)
#embed "Kernels/conv2d_lanes_backward_weight.c.mustache"
TEMPLATE(conv2d_lanes_backward_weight_winners)
#embed "Kernels/conv2d_lanes_backward_weight_winners.c.mustache"
TEMPLATE(conv2d_lanes_forward)
#embed "Kernels/conv2d_lanes_forward.c.mustache"
TEMPLATE(conv2d_lanes_weight_sum)
#embed "Kernels/conv2d_lanes_weight_sum.c.mustache"
TEMPLATE(conv2d_positionbias)
#embed "Kernels/conv2d_positionbias.c.mustache"
TEMPLATE(conv2d_positionbias_backward)
#embed "Kernels/conv2d_positionbias_backward.c.mustache"
TEMPLATE(conv2d_winners_pack)
#embed "Kernels/conv2d_winners_pack.c.mustache"
TEMPLATE(conv2d_winners_weight_sum)
#embed "Kernels/conv2d_winners_weight_sum.c.mustache"
TEMPLATE(convtranspose2d_blocked_backward_data)
#embed "Kernels/convtranspose2d_blocked_backward_data.c.mustache"
TEMPLATE(convtranspose2d_blocked_backward_weight)
#embed "Kernels/convtranspose2d_blocked_backward_weight.c.mustache"
TEMPLATE(convtranspose2d_blocked_forward)
#embed "Kernels/convtranspose2d_blocked_forward.c.mustache"
TEMPLATE(convtranspose2d_blocked_pack)
#embed "Kernels/convtranspose2d_blocked_pack.c.mustache"
TEMPLATE(convtranspose2d_blocked_weight_sum)
#embed "Kernels/convtranspose2d_blocked_weight_sum.c.mustache"
TEMPLATE(convtranspose2d_generic_backward_data)
#embed "Kernels/convtranspose2d_generic_backward_data.c.mustache"
TEMPLATE(convtranspose2d_generic_backward_weight)
#embed "Kernels/convtranspose2d_generic_backward_weight.c.mustache"
TEMPLATE(convtranspose2d_generic_forward)
#embed "Kernels/convtranspose2d_generic_forward.c.mustache"
TEMPLATE(copy)
#embed "Kernels/copy.c.mustache"
TEMPLATE(copy_parameter_ranges)
#embed "Kernels/copy_parameter_ranges.c.mustache"
TEMPLATE(copy_parameters)
#embed "Kernels/copy_parameters.c.mustache"
TEMPLATE(cosine_loss)
#embed "Kernels/cosine_loss.c.mustache"
TEMPLATE(cosine_loss_slopes)
#embed "Kernels/cosine_loss_slopes.c.mustache"
TEMPLATE(cross_entropy_loss)
#embed "Kernels/cross_entropy_loss.c.mustache"
TEMPLATE(cross_entropy_loss_slopes)
#embed "Kernels/cross_entropy_loss_slopes.c.mustache"
TEMPLATE(custom_loss)
#embed "Kernels/custom_loss.c.mustache"
TEMPLATE(custom_loss_step)
#embed "Kernels/custom_loss_step.c.mustache"
TEMPLATE(dense_generic_backward_data)
#embed "Kernels/dense_generic_backward_data.c.mustache"
TEMPLATE(dense_generic_backward_weight)
#embed "Kernels/dense_generic_backward_weight.c.mustache"
TEMPLATE(dense_generic_forward)
#embed "Kernels/dense_generic_forward.c.mustache"
TEMPLATE(dense_lanes_backward_data)
#embed "Kernels/dense_lanes_backward_data.c.mustache"
TEMPLATE(dense_lanes_backward_weight)
#embed "Kernels/dense_lanes_backward_weight.c.mustache"
TEMPLATE(dense_lanes_forward)
#embed "Kernels/dense_lanes_forward.c.mustache"
TEMPLATE(dense_large_backward_data)
#embed "Kernels/dense_large_backward_data.c.mustache"
TEMPLATE(dense_large_backward_weight)
#embed "Kernels/dense_large_backward_weight.c.mustache"
TEMPLATE(dense_large_forward)
#embed "Kernels/dense_large_forward.c.mustache"
TEMPLATE(dense_rows_backward_data)
#embed "Kernels/dense_rows_backward_data.c.mustache"
TEMPLATE(dense_rows_backward_weight)
#embed "Kernels/dense_rows_backward_weight.c.mustache"
TEMPLATE(dense_rows_forward)
#embed "Kernels/dense_rows_forward.c.mustache"
TEMPLATE(dice_scores)
#embed "Kernels/dice_scores.c.mustache"
TEMPLATE(dice_slopes)
#embed "Kernels/dice_slopes.c.mustache"
TEMPLATE(dice_sums)
#embed "Kernels/dice_sums.c.mustache"
TEMPLATE(dropconnect)
#embed "Kernels/dropconnect.c.mustache"
TEMPLATE(dropout_scalar)
#embed "Kernels/dropout_scalar.c.mustache"
TEMPLATE(elementwise)
#embed "Kernels/elementwise.c.mustache"
TEMPLATE(elementwise_random)
#embed "Kernels/elementwise_random.c.mustache"
TEMPLATE(elu_backward_scalar)
#embed "Kernels/elu_backward_scalar.c.mustache"
TEMPLATE(elu_backward_vector)
#embed "Kernels/elu_backward_vector.c.mustache"
TEMPLATE(elu_scalar)
#embed "Kernels/elu_scalar.c.mustache"
TEMPLATE(elu_vector)
#embed "Kernels/elu_vector.c.mustache"
TEMPLATE(file_forward)
#embed "Kernels/file_forward.c.mustache"
TEMPLATE(file_gradients)
#embed "Kernels/file_gradients.c.mustache"
TEMPLATE(file_header)
#embed "Kernels/file_header.c.mustache"
TEMPLATE(file_model)
#embed "Kernels/file_model.c.mustache"
TEMPLATE(file_prelude)
#embed "Kernels/file_prelude.c.mustache"
TEMPLATE(file_prepare)
#embed "Kernels/file_prepare.c.mustache"
TEMPLATE(file_profile)
#embed "Kernels/file_profile.c.mustache"
TEMPLATE(file_train_step)
#embed "Kernels/file_train_step.c.mustache"
TEMPLATE(file_update)
#embed "Kernels/file_update.c.mustache"
TEMPLATE(gelu_backward_scalar)
#embed "Kernels/gelu_backward_scalar.c.mustache"
TEMPLATE(gelu_backward_vector)
#embed "Kernels/gelu_backward_vector.c.mustache"
TEMPLATE(gelu_scalar)
#embed "Kernels/gelu_scalar.c.mustache"
TEMPLATE(gelu_tanh_backward_scalar)
#embed "Kernels/gelu_tanh_backward_scalar.c.mustache"
TEMPLATE(gelu_tanh_backward_vector)
#embed "Kernels/gelu_tanh_backward_vector.c.mustache"
TEMPLATE(gelu_tanh_scalar)
#embed "Kernels/gelu_tanh_scalar.c.mustache"
TEMPLATE(gelu_tanh_vector)
#embed "Kernels/gelu_tanh_vector.c.mustache"
TEMPLATE(gelu_vector)
#embed "Kernels/gelu_vector.c.mustache"
TEMPLATE(groupnorm_backward)
#embed "Kernels/groupnorm_backward.c.mustache"
TEMPLATE(groupnorm_forward)
#embed "Kernels/groupnorm_forward.c.mustache"
TEMPLATE(groupnorm_parameters)
#embed "Kernels/groupnorm_parameters.c.mustache"
TEMPLATE(hardsigmoid_backward_scalar)
#embed "Kernels/hardsigmoid_backward_scalar.c.mustache"
TEMPLATE(hardsigmoid_backward_vector)
#embed "Kernels/hardsigmoid_backward_vector.c.mustache"
TEMPLATE(hardsigmoid_scalar)
#embed "Kernels/hardsigmoid_scalar.c.mustache"
TEMPLATE(hardsigmoid_vector)
#embed "Kernels/hardsigmoid_vector.c.mustache"
TEMPLATE(hardswish_backward_scalar)
#embed "Kernels/hardswish_backward_scalar.c.mustache"
TEMPLATE(hardswish_backward_vector)
#embed "Kernels/hardswish_backward_vector.c.mustache"
TEMPLATE(hardswish_scalar)
#embed "Kernels/hardswish_scalar.c.mustache"
TEMPLATE(hardswish_vector)
#embed "Kernels/hardswish_vector.c.mustache"
TEMPLATE(huber_loss)
#embed "Kernels/huber_loss.c.mustache"
TEMPLATE(kl_divergence_loss)
#embed "Kernels/kl_divergence_loss.c.mustache"
TEMPLATE(kl_probability_loss)
#embed "Kernels/kl_probability_loss.c.mustache"
TEMPLATE(leakyrelu_backward_scalar)
#embed "Kernels/leakyrelu_backward_scalar.c.mustache"
TEMPLATE(leakyrelu_backward_vector)
#embed "Kernels/leakyrelu_backward_vector.c.mustache"
TEMPLATE(leakyrelu_scalar)
#embed "Kernels/leakyrelu_scalar.c.mustache"
TEMPLATE(leakyrelu_vector)
#embed "Kernels/leakyrelu_vector.c.mustache"
TEMPLATE(locallyconnected_backward_data)
#embed "Kernels/locallyconnected_backward_data.c.mustache"
TEMPLATE(locallyconnected_backward_weight)
#embed "Kernels/locallyconnected_backward_weight.c.mustache"
TEMPLATE(locallyconnected_forward)
#embed "Kernels/locallyconnected_forward.c.mustache"
TEMPLATE(log_likelihood_loss)
#embed "Kernels/log_likelihood_loss.c.mustache"
TEMPLATE(log_likelihood_loss_slopes)
#embed "Kernels/log_likelihood_loss_slopes.c.mustache"
TEMPLATE(loop_nest)
#embed "Kernels/loop_nest.c.mustache"
TEMPLATE(loop_nest_line)
#embed "Kernels/loop_nest_line.c.mustache"
TEMPLATE(loss_mean)
#embed "Kernels/loss_mean.c.mustache"
TEMPLATE(loss_pixels)
#embed "Kernels/loss_pixels.c.mustache"
TEMPLATE(loss_values)
#embed "Kernels/loss_values.c.mustache"
TEMPLATE(loss_values_lanes)
#embed "Kernels/loss_values_lanes.c.mustache"
TEMPLATE(lrn_all_backward)
#embed "Kernels/lrn_all_backward.c.mustache"
TEMPLATE(lrn_all_forward)
#embed "Kernels/lrn_all_forward.c.mustache"
TEMPLATE(lrn_channels_backward)
#embed "Kernels/lrn_channels_backward.c.mustache"
TEMPLATE(lrn_channels_forward)
#embed "Kernels/lrn_channels_forward.c.mustache"
TEMPLATE(lrn_sequence_backward)
#embed "Kernels/lrn_sequence_backward.c.mustache"
TEMPLATE(lrn_space_backward)
#embed "Kernels/lrn_space_backward.c.mustache"
TEMPLATE(lrn_space_forward)
#embed "Kernels/lrn_space_forward.c.mustache"
TEMPLATE(lrn_space_lanes_backward)
#embed "Kernels/lrn_space_lanes_backward.c.mustache"
TEMPLATE(lrn_space_rows_backward)
#embed "Kernels/lrn_space_rows_backward.c.mustache"
TEMPLATE(lrn_space_rows_forward)
#embed "Kernels/lrn_space_rows_forward.c.mustache"
TEMPLATE(maxpool2d_backward)
#embed "Kernels/maxpool2d_backward.c.mustache"
TEMPLATE(maxpool2d_forward)
#embed "Kernels/maxpool2d_forward.c.mustache"
TEMPLATE(maxunpool2d_backward)
#embed "Kernels/maxunpool2d_backward.c.mustache"
TEMPLATE(maxunpool2d_forward)
#embed "Kernels/maxunpool2d_forward.c.mustache"
TEMPLATE(multiclass_hinge_loss)
#embed "Kernels/multiclass_hinge_loss.c.mustache"
TEMPLATE(multiclass_hinge_loss_slopes)
#embed "Kernels/multiclass_hinge_loss_slopes.c.mustache"
TEMPLATE(pad_backward)
#embed "Kernels/pad_backward.c.mustache"
TEMPLATE(pad_forward)
#embed "Kernels/pad_forward.c.mustache"
TEMPLATE(padded_copy)
#embed "Kernels/padded_copy.c.mustache"
TEMPLATE(poisson_log_loss)
#embed "Kernels/poisson_log_loss.c.mustache"
TEMPLATE(poisson_loss)
#embed "Kernels/poisson_loss.c.mustache"
TEMPLATE(positionbias_backward)
#embed "Kernels/positionbias_backward.c.mustache"
TEMPLATE(positionbias_forward)
#embed "Kernels/positionbias_forward.c.mustache"
TEMPLATE(prelu_backward_scalar)
#embed "Kernels/prelu_backward_scalar.c.mustache"
TEMPLATE(prelu_backward_vector)
#embed "Kernels/prelu_backward_vector.c.mustache"
TEMPLATE(prelu_gradients)
#embed "Kernels/prelu_gradients.c.mustache"
TEMPLATE(prelu_prepare)
#embed "Kernels/prelu_prepare.c.mustache"
TEMPLATE(prelu_scalar)
#embed "Kernels/prelu_scalar.c.mustache"
TEMPLATE(prelu_slope)
#embed "Kernels/prelu_slope.c.mustache"
TEMPLATE(prelu_vector)
#embed "Kernels/prelu_vector.c.mustache"
TEMPLATE(probability_loss_slopes)
#embed "Kernels/probability_loss_slopes.c.mustache"
TEMPLATE(random_bits)
#embed "Kernels/random_bits.c.mustache"
TEMPLATE(random_bits_lanes)
#embed "Kernels/random_bits_lanes.c.mustache"
TEMPLATE(regularization)
#embed "Kernels/regularization.c.mustache"
TEMPLATE(regularization_sum)
#embed "Kernels/regularization_sum.c.mustache"
TEMPLATE(relu_backward_scalar)
#embed "Kernels/relu_backward_scalar.c.mustache"
TEMPLATE(relu_backward_vector)
#embed "Kernels/relu_backward_vector.c.mustache"
TEMPLATE(relu_scalar)
#embed "Kernels/relu_scalar.c.mustache"
TEMPLATE(relu_vector)
#embed "Kernels/relu_vector.c.mustache"
TEMPLATE(reorder)
#embed "Kernels/reorder.c.mustache"
TEMPLATE(reorder_images)
#embed "Kernels/reorder_images.c.mustache"
TEMPLATE(selu_backward_scalar)
#embed "Kernels/selu_backward_scalar.c.mustache"
TEMPLATE(selu_backward_vector)
#embed "Kernels/selu_backward_vector.c.mustache"
TEMPLATE(selu_scalar)
#embed "Kernels/selu_scalar.c.mustache"
TEMPLATE(selu_vector)
#embed "Kernels/selu_vector.c.mustache"
TEMPLATE(sigmoid_backward_scalar)
#embed "Kernels/sigmoid_backward_scalar.c.mustache"
TEMPLATE(sigmoid_backward_vector)
#embed "Kernels/sigmoid_backward_vector.c.mustache"
TEMPLATE(sigmoid_scalar)
#embed "Kernels/sigmoid_scalar.c.mustache"
TEMPLATE(sigmoid_vector)
#embed "Kernels/sigmoid_vector.c.mustache"
TEMPLATE(silu_backward_scalar)
#embed "Kernels/silu_backward_scalar.c.mustache"
TEMPLATE(silu_backward_vector)
#embed "Kernels/silu_backward_vector.c.mustache"
TEMPLATE(silu_scalar)
#embed "Kernels/silu_scalar.c.mustache"
TEMPLATE(silu_vector)
#embed "Kernels/silu_vector.c.mustache"
TEMPLATE(softmax_backward)
#embed "Kernels/softmax_backward.c.mustache"
TEMPLATE(softmax_cross_entropy)
#embed "Kernels/softmax_cross_entropy.c.mustache"
TEMPLATE(softmax_cross_entropy_lanes)
#embed "Kernels/softmax_cross_entropy_lanes.c.mustache"
TEMPLATE(softmax_cross_entropy_maps)
#embed "Kernels/softmax_cross_entropy_maps.c.mustache"
TEMPLATE(softmax_forward)
#embed "Kernels/softmax_forward.c.mustache"
TEMPLATE(softmax_line_backward)
#embed "Kernels/softmax_line_backward.c.mustache"
TEMPLATE(softmax_line_forward)
#embed "Kernels/softmax_line_forward.c.mustache"
TEMPLATE(softmax_streamed_backward)
#embed "Kernels/softmax_streamed_backward.c.mustache"
TEMPLATE(softmax_streamed_forward)
#embed "Kernels/softmax_streamed_forward.c.mustache"
TEMPLATE(softplus_backward_scalar)
#embed "Kernels/softplus_backward_scalar.c.mustache"
TEMPLATE(softplus_backward_vector)
#embed "Kernels/softplus_backward_vector.c.mustache"
TEMPLATE(softplus_scalar)
#embed "Kernels/softplus_scalar.c.mustache"
TEMPLATE(softplus_vector)
#embed "Kernels/softplus_vector.c.mustache"
TEMPLATE(softsign_backward_scalar)
#embed "Kernels/softsign_backward_scalar.c.mustache"
TEMPLATE(softsign_backward_vector)
#embed "Kernels/softsign_backward_vector.c.mustache"
TEMPLATE(softsign_scalar)
#embed "Kernels/softsign_scalar.c.mustache"
TEMPLATE(softsign_vector)
#embed "Kernels/softsign_vector.c.mustache"
TEMPLATE(squared_error_loss)
#embed "Kernels/squared_error_loss.c.mustache"
TEMPLATE(support_dot)
#embed "Kernels/support_dot.c.mustache"
TEMPLATE(support_erf_scalar)
#embed "Kernels/support_erf_scalar.c.mustache"
TEMPLATE(support_erf_vector)
#embed "Kernels/support_erf_vector.c.mustache"
TEMPLATE(support_exp_scalar)
#embed "Kernels/support_exp_scalar.c.mustache"
TEMPLATE(support_exp_vector)
#embed "Kernels/support_exp_vector.c.mustache"
TEMPLATE(support_expm1_scalar)
#embed "Kernels/support_expm1_scalar.c.mustache"
TEMPLATE(support_expm1_vector)
#embed "Kernels/support_expm1_vector.c.mustache"
TEMPLATE(support_features)
#embed "Kernels/support_features.c.mustache"
TEMPLATE(support_images)
#embed "Kernels/support_images.c.mustache"
TEMPLATE(support_inverse_power_scalar)
#embed "Kernels/support_inverse_power_scalar.c.mustache"
TEMPLATE(support_inverse_power_vector)
#embed "Kernels/support_inverse_power_vector.c.mustache"
TEMPLATE(support_inverse_sqrt_scalar)
#embed "Kernels/support_inverse_sqrt_scalar.c.mustache"
TEMPLATE(support_inverse_sqrt_vector)
#embed "Kernels/support_inverse_sqrt_vector.c.mustache"
TEMPLATE(support_join_largest)
#embed "Kernels/support_join_largest.c.mustache"
TEMPLATE(support_join_sums)
#embed "Kernels/support_join_sums.c.mustache"
TEMPLATE(support_lane_sums)
#embed "Kernels/support_lane_sums.c.mustache"
TEMPLATE(support_larger_scalar)
#embed "Kernels/support_larger_scalar.c.mustache"
TEMPLATE(support_ln_scalar)
#embed "Kernels/support_ln_scalar.c.mustache"
TEMPLATE(support_log_scalar)
#embed "Kernels/support_log_scalar.c.mustache"
TEMPLATE(support_log_vector)
#embed "Kernels/support_log_vector.c.mustache"
TEMPLATE(support_once)
#embed "Kernels/support_once.c.mustache"
TEMPLATE(support_penalize)
#embed "Kernels/support_penalize.c.mustache"
TEMPLATE(support_power_base_scalar)
#embed "Kernels/support_power_base_scalar.c.mustache"
TEMPLATE(support_power_exponent_scalar)
#embed "Kernels/support_power_exponent_scalar.c.mustache"
TEMPLATE(support_random_bits_lanes)
#embed "Kernels/support_random_bits_lanes.c.mustache"
TEMPLATE(support_random_bits_scalar)
#embed "Kernels/support_random_bits_scalar.c.mustache"
TEMPLATE(support_random_bits_vector)
#embed "Kernels/support_random_bits_vector.c.mustache"
TEMPLATE(support_random_blocks)
#embed "Kernels/support_random_blocks.c.mustache"
TEMPLATE(support_share_scalar)
#embed "Kernels/support_share_scalar.c.mustache"
TEMPLATE(support_sigmoid_scalar)
#embed "Kernels/support_sigmoid_scalar.c.mustache"
TEMPLATE(support_sign_scalar)
#embed "Kernels/support_sign_scalar.c.mustache"
TEMPLATE(support_smaller_scalar)
#embed "Kernels/support_smaller_scalar.c.mustache"
TEMPLATE(support_softplus_scalar)
#embed "Kernels/support_softplus_scalar.c.mustache"
TEMPLATE(support_softplus_vector)
#embed "Kernels/support_softplus_vector.c.mustache"
TEMPLATE(support_store)
#embed "Kernels/support_store.c.mustache"
TEMPLATE(support_store_floats)
#embed "Kernels/support_store_floats.c.mustache"
TEMPLATE(support_store_taps)
#embed "Kernels/support_store_taps.c.mustache"
TEMPLATE(support_stream_line)
#embed "Kernels/support_stream_line.c.mustache"
TEMPLATE(support_tanh_parts_scalar)
#embed "Kernels/support_tanh_parts_scalar.c.mustache"
TEMPLATE(support_tanh_parts_vector)
#embed "Kernels/support_tanh_parts_vector.c.mustache"
TEMPLATE(support_tanh_scalar)
#embed "Kernels/support_tanh_scalar.c.mustache"
TEMPLATE(support_tanh_vector)
#embed "Kernels/support_tanh_vector.c.mustache"
TEMPLATE(support_transpose)
#embed "Kernels/support_transpose.c.mustache"
TEMPLATE(tanh_backward_scalar)
#embed "Kernels/tanh_backward_scalar.c.mustache"
TEMPLATE(tanh_backward_vector)
#embed "Kernels/tanh_backward_vector.c.mustache"
TEMPLATE(tanh_scalar)
#embed "Kernels/tanh_scalar.c.mustache"
TEMPLATE(tanh_vector)
#embed "Kernels/tanh_vector.c.mustache"
TEMPLATE(upsample_bilinear_backward)
#embed "Kernels/upsample_bilinear_backward.c.mustache"
TEMPLATE(upsample_bilinear_forward)
#embed "Kernels/upsample_bilinear_forward.c.mustache"
TEMPLATE(upsample_nearest_backward)
#embed "Kernels/upsample_nearest_backward.c.mustache"
TEMPLATE(upsample_nearest_forward)
#embed "Kernels/upsample_nearest_forward.c.mustache"
TEMPLATE(weight_clear)
#embed "Kernels/weight_clear.c.mustache"

, 0}}};

const unsigned char *convc_interface_text(void) { return texts[0].text; }

const convc_template *convc_templates(void) { return texts + 1; }
size_t convc_templates_count(void) { return sizeof texts / sizeof *texts - 1; }
