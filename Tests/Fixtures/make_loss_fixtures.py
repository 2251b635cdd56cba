"""Writes losses.safetensors, with PyTorch as the judge.

    python make_loss_fixtures.py

For each case NAME: NAME.x the prediction, NAME.t the target (labels as int32), NAME.w the weights where there are some,
NAME.value and NAME.gradient of the loss. Means divide by the number of images and of an image's places, whatever the
weights and the places that are left out: where PyTorch divides by something else, the sum of its single losses is divided.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

generator = torch.Generator().manual_seed(5)
tensors = {}


def normal(*shape):
    return torch.randn(shape, generator=generator)


def uniform(*shape):
    return torch.rand(shape, generator=generator)


def labels(classes, *shape):
    return torch.randint(0, classes, shape, generator=generator)


def shares(*shape):
    """Shares whose sum over axis 1 is 1, some of them 0."""
    values = uniform(*shape)
    values[values < 0.2] = 0
    values[:, 0] += 0.1
    return values / values.sum(1, keepdim=True)


def case(name, x, t, loss, w=None):
    x = x.clone().requires_grad_()
    value = loss(x, t) if w is None else loss(x, t, w)
    value.backward()
    tensors[f"{name}.x"] = x.detach().contiguous()
    tensors[f"{name}.t"] = t.to(torch.int32) if t.dtype == torch.int64 else t
    if w is not None:
        tensors[f"{name}.w"] = w
    tensors[f"{name}.value"] = value.detach().reshape(1)
    tensors[f"{name}.gradient"] = x.grad.contiguous()


def masked_squares(x, t):
    return torch.where(t.isnan(), torch.zeros(()), (x - torch.nan_to_num(t)) ** 2).sum() / len(x)


def hinge(x, t, margin=1.0):
    own = x.gather(1, t[:, None])
    others = x.scatter(1, t[:, None], -torch.inf)
    return F.relu(margin + others.max(1, keepdim=True).values - own)


def dice(y, t, classes, smoothing, ignored=None):
    counted = torch.ones_like(t, dtype=torch.bool) if ignored is None else t != ignored
    if classes == 1:
        truth = (t == 1)[:, None].float()
    else:
        truth = F.one_hot(t.clamp(0, classes - 1), classes).permute(0, 3, 1, 2).float()
    y, truth = y * counted[:, None], truth * counted[:, None]
    both, mass = (y * truth).sum((2, 3)), (y + truth).sum((2, 3))
    return 1 - ((2 * both + smoothing) / (mass + smoothing)).mean(1)


missing = normal(1, 19)
missing[0, ::4] = torch.nan
case("mse", normal(5, 7), normal(5, 7), F.mse_loss)
case("mse_missing", normal(1, 19), missing, masked_squares)
case("mse_maps", normal(2, 17, 2, 3), normal(2, 17, 2, 3),
     lambda x, t, w: (w[:, None] * F.mse_loss(x, t, reduction="none")).mean(), uniform(2, 2, 3))
case("mae", normal(5, 7), normal(5, 7), F.l1_loss)
case("mae_maps", normal(1, 17, 2, 3), normal(1, 17, 2, 3),
     lambda x, t, w: (w[:, None] * F.l1_loss(x, t, reduction="none")).mean(), uniform(1, 2, 3))
case("huber", 2 * normal(5, 7), normal(5, 7), F.huber_loss)
case("huber_maps", normal(1, 17, 2, 3), normal(1, 17, 2, 3),
     lambda x, t, w: (w[:, None] * F.huber_loss(x, t, reduction="none", delta=0.5)).mean(), uniform(1, 2, 3))
counts = (4 * uniform(5, 7)).floor()
case("poisson", normal(5, 7), counts, lambda x, t: F.poisson_nll_loss(x, t, log_input=True))
case("poisson_rates", 0.1 + uniform(1, 3, 5, 7), (4 * uniform(1, 3, 5, 7)).floor(),
     lambda x, t: F.poisson_nll_loss(x, t, log_input=False, eps=0))
case("kl", F.log_softmax(normal(5, 7), 1), shares(5, 7), lambda x, t: F.kl_div(x, t, reduction="batchmean"))
case("kl_probabilities", F.softmax(normal(3, 5, 3, 5), 1), shares(3, 5, 3, 5),
     lambda x, t, w: (w[:, None, None, None] * F.kl_div(x.log(), t, reduction="none")).sum() / 45, uniform(3))
case("binary_hinge", normal(5, 1), labels(2, 5), lambda x, t: F.relu(1 - (2 * t[:, None] - 1) * x).mean())
case("binary_hinge_maps", normal(1, 1, 5, 7), labels(2, 1, 5, 7),
     lambda x, t, w: (w[:, None] * F.relu(0.5 - (2 * t[:, None] - 1) * x)).mean(), uniform(1, 5, 7))
case("bce", 3 * normal(5, 7), uniform(5, 7), F.binary_cross_entropy_with_logits)
case("bce_probabilities", 0.02 + 0.96 * uniform(2, 17, 2, 3), uniform(2, 17, 2, 3), F.binary_cross_entropy)
case("bce_labels", normal(19, 1), labels(2, 19),
     lambda x, t, w: F.binary_cross_entropy_with_logits(x, t[:, None].float(), weight=w[:, None]), uniform(19))
case("bce_positive", normal(1, 3, 5, 7), uniform(1, 3, 5, 7),
     lambda x, t, w: F.binary_cross_entropy_with_logits(
         x, t, weight=w[:, None].expand_as(x), pos_weight=torch.tensor(2.5)), uniform(1, 5, 7))
case("multi_label", normal(5, 7), labels(2, 5, 7).float(),
     lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="sum") / 5)
case("multi_label_probabilities", F.softmax(normal(1, 19), 1), F.one_hot(labels(19, 1), 19).float(),
     lambda x, t, w: (w * F.binary_cross_entropy(x, t, reduction="none").sum(1)).mean(), uniform(1))
case("custom", normal(5, 7), normal(5, 7),
     lambda x, t: (torch.log(1 + (x - t) ** 2) + 0.1 * F.softplus(x * t)).mean())
case("custom_extremes", normal(3, 19), normal(3, 19),
     lambda x, t, w: (w[:, None] * (torch.maximum(x.tanh() - t, 0.25 * (t - x))
                                   + x.sigmoid().clamp(max=0.5) / (1 + t.exp()))).sum() / 3, uniform(3))
case("softmax", normal(5, 7), labels(7, 5), F.cross_entropy)
case("softmax_maps", normal(2, 17, 2, 3), labels(17, 2, 2, 3), F.cross_entropy)
ignoring = labels(3, 1, 5, 7)
ignoring[0, 1:3, ::2] = 255
case("softmax_ignoring", normal(1, 3, 5, 7), ignoring,
     lambda x, t, w: (w * F.cross_entropy(x, t, ignore_index=255, reduction="none")).mean(), uniform(1, 5, 7))
ignoring = labels(3, 19)
ignoring[::5] = -1
class_weights = torch.tensor([1, 0.5, 2])
case("softmax_weighted", normal(19, 3), ignoring,
     lambda x, t, w: (w * F.cross_entropy(x, t, weight=class_weights, ignore_index=-1, label_smoothing=0.1,
                                         reduction="none")).mean(), uniform(19))
case("softmax_smoothed", normal(2, 17, 5, 3), labels(17, 2, 5, 3),
     lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2))
case("categorical", normal(5, 7), shares(5, 7), F.cross_entropy)
case("categorical_smoothed", normal(3, 3, 5, 7), shares(3, 3, 5, 7),
     lambda x, t: F.cross_entropy(x, t, weight=class_weights, label_smoothing=0.1))
case("categorical_probabilities", F.softmax(normal(19, 5), 1), shares(19, 5),
     lambda x, t, w: -(w[:, None] * t * x.log()).sum() / 19, uniform(19))
case("likelihood", F.log_softmax(normal(5, 7), 1), labels(7, 5), F.nll_loss)
case("likelihood_weighted", F.log_softmax(normal(1, 3, 5, 7), 1), labels(3, 1, 5, 7),
     lambda x, t, w: (w * F.nll_loss(x, t, weight=class_weights, reduction="none")).mean(), uniform(1, 5, 7))
case("hinge", normal(5, 7), labels(7, 5), lambda x, t: hinge(x, t).mean())
case("hinge_weighted", normal(1, 3, 5, 7), labels(3, 1, 5, 7),
     lambda x, t, w: (w[:, None, None, None] * hinge(x, t)).mean(), uniform(1))
case("cosine", normal(5, 7), normal(5, 7), lambda x, t: -F.cosine_similarity(x, t).mean())
case("cosine_maps", normal(2, 17, 2, 3), normal(2, 17, 2, 3),
     lambda x, t, w: -(w * F.cosine_similarity(x, t)).mean(), uniform(2, 2, 3))
case("dice", normal(3, 3, 5, 7), labels(3, 3, 5, 7), lambda x, t: dice(F.softmax(x, 1), t, 3, 1).mean())
ignoring = labels(2, 1, 5, 7)
ignoring[0, 2] = 255
case("dice_binary", normal(1, 1, 5, 7), ignoring, lambda x, t: dice(x.sigmoid(), t, 1, 0.5, 255).mean())
ignoring = labels(17, 2, 3, 5)
ignoring[:, 1, 1:4] = 255
case("dice_probabilities", F.softmax(normal(2, 17, 3, 5), 1), ignoring,
     lambda x, t, w: (w * dice(x, t, 17, 1, 255)).mean(), uniform(2))

save_file(tensors, Path(__file__).parent / "losses.safetensors")
