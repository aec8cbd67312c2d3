"""Changes of training pictures that leave their class: shifts, mirror images, parts, distortions."""

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Random shifts of up to `shift` pixels with reflected borders, and random mirror images; uint8 (B, C, H, W)."""
    batch, channels, height, width = images.shape

    def positions(size: int, flip: bool) -> Tensor:
        moved = torch.arange(size) + torch.randint(-shift, shift + 1, (batch, 1), generator=generator)
        reflected = (size - 1) - ((size - 1) - moved.abs()).abs()
        if flip:
            mirrored = torch.rand(batch, 1, generator=generator) < 0.5
            reflected = torch.where(mirrored, size - 1 - reflected, reflected)
        return reflected

    rows, columns = positions(height, flip=False), positions(width, flip=True)
    which = torch.arange(batch)[:, None, None, None]
    return images[which, torch.arange(channels)[None, :, None, None], rows[:, None, :, None], columns[:, None, None, :]]


def magnify(images: Tensor, zoom: float, generator: torch.Generator) -> Tensor:
    """A random part of each image, by a random factor of 1 to `zoom` smaller, at the size of the whole; uint8."""
    if zoom == 1:
        return images
    size = 1 / (1 + (zoom - 1) * torch.rand(len(images), generator=generator))
    place = torch.rand(len(images), 2, generator=generator)
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = size
    theta[:, :, 2] = (2 * place - 1) * (1 - size)[:, None]
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    parts = F.grid_sample(images.float(), grid, padding_mode="reflection", align_corners=False)
    return parts.round().to(torch.uint8)


def distorted(images: Tensor, operations: int, generator: torch.Generator) -> Tensor:
    """Each image after so many random operations of RandAugment (colours, tone, small shifts and turns); uint8."""
    if not operations:
        return images
    from torchvision.transforms import v2  # takes seconds, for which no page should wait

    random_operations = v2.RandAugment(operations)
    with torch.random.fork_rng(devices=[]):  # it draws from the global generator
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        return torch.stack([random_operations(image) for image in images])
