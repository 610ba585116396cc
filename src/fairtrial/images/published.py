"""The catalogue: published data sets by name, what each is, and how it is read."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from fairtrial.errors import DataError
from fairtrial.images import fetching, formats, mirrors, shipped
from fairtrial.images.arrays import Part, Parts, fingerprint
from fairtrial.images.facts import MNIST, DatasetFacts, Source
from fairtrial.images.fetching import File
from fairtrial.images.formats import Files, Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published data set. `shape` is (height, width, channels); `page` says more of it, `terms` who may use it.

    `places` are folders where a system's package puts its files. `fingerprint` is known where its content was seen.
    """

    name: str
    title: str
    page: str
    terms: str
    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    files: tuple[File, ...] = ()
    read: Callable[[Files], Pair] = formats.idx_pairs
    class_names: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    by_package: str = ""
    folder: str = ""
    """Of its downloads, where several data sets share them."""
    fingerprint: str = ""
    note: str = ""

    @property
    def size(self) -> int | None:
        """Bytes to download; None where nobody has published them."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def version(self) -> str:
        """Another for another content."""
        return self.fingerprint or " ".join(file.checksum for file in self.files)

    @property
    def facts(self) -> DatasetFacts | None:
        """What is known without opening it, if its content is."""
        if not self.fingerprint:
            return None
        if self.name == MNIST.name:
            return MNIST
        return DatasetFacts(
            name=self.name,
            input_shape=self.shape,
            classes=self.classes,
            train_images=self.train,
            test_images=self.test,
            fingerprint=self.fingerprint,
            class_names=self.class_names,
            source=Source(dataset=self.name),
        )


def read(name: str) -> Parts:
    """The data set from the package, the system's package, the downloads, or the internet: the first that has it.

    Raises DataError with the way to do it by hand where none has, and for files that hold something else.
    """
    entry = CATALOGUE[name]
    if name == MNIST.name:
        arrays = shipped.read()
        train = Part(images=arrays["train_images"], labels=arrays["train_labels"])
        test = Part(images=arrays["test_images"], labels=arrays["test_labels"])
    else:
        train, test = entry.read(files_of(entry))
    return _checked(entry, train, test)


def files_of(entry: Published) -> Files:
    for place in entry.places:
        found = {file.name: Path(place) / file.name for file in entry.files}
        if all(path.is_file() for path in found.values()):
            return found
    return fetching.fetched(
        entry.files, dataset=entry.name, folder=entry.folder or entry.name, also=entry.by_package
    )


def where(entry: Published) -> str:
    """Where its files are now, in words; empty if they would have to be downloaded."""
    if entry.name == MNIST.name:
        return "comes with fairtrial"
    for place in entry.places:
        if all((Path(place) / file.name).is_file() for file in entry.files):
            return place
    try:
        folder = fetching.downloads(entry.folder or entry.name)
    except DataError:
        return ""
    sizes = [
        (folder / file.name).stat().st_size if (folder / file.name).is_file() else -1 for file in entry.files
    ]
    whole = all(
        size >= 0 and file.size in (None, size) for file, size in zip(entry.files, sizes, strict=True)
    )
    return str(folder) if whole else ""


def _checked(entry: Published, train: Part, test: Part) -> Parts:
    for part, count, words in ((train, entry.train, "training"), (test, entry.test, "test")):
        if part.images.shape != (count, *entry.shape):
            raise DataError(
                f"{entry.name}: {words} images of {part.images.shape}; it is published with {(count, *entry.shape)}"
            )
        if len(np.unique(part.labels)) != entry.classes or int(part.labels.max()) >= entry.classes:
            raise DataError(f"{entry.name}: its {words} labels are not 0 to {entry.classes - 1}")
    if entry.fingerprint:
        arrays = {"train_images": train.images, "train_labels": train.labels,
                  "test_images": test.images, "test_labels": test.labels}  # fmt: skip
        if (found := fingerprint(arrays)) != entry.fingerprint:
            raise DataError(
                f"{entry.name}: the files are readable but hold something else: fingerprint {found}; expected {entry.fingerprint}"
            )
    return Parts(
        name=entry.name,
        classes=entry.classes,
        class_names=entry.class_names,
        train=train,
        test=test,
        notes=(f"{entry.name}: {entry.note}",) if entry.note else (),
    )


_DIGITS, _CAPITALS, _SMALL = (
    tuple(string.digits),
    tuple(string.ascii_uppercase),
    tuple(string.ascii_lowercase),
)
_MERGED = (*_DIGITS, *_CAPITALS, *"abdefghnqrt")
_EMNIST: tuple[tuple[str, tuple[str, ...], int, int, str], ...] = (
    ("balanced", _MERGED, 112_800, 18_800, "digits and letters, as many of each class"),
    ("byclass", (*_DIGITS, *_CAPITALS, *_SMALL), 697_932, 116_323, "digits, capitals and small letters"),
    (
        "bymerge",
        _MERGED,
        697_932,
        116_323,
        "digits and letters, capital and small in one class where they look alike",
    ),
    ("digits", _DIGITS, 240_000, 40_000, "digits"),
    ("letters", _SMALL, 124_800, 20_800, "letters, capital and small in one class"),
    ("mnist", _DIGITS, 60_000, 10_000, "digits, drawn as those of MNIST were"),
)
_CIFAR100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish "
    "forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle "
    "mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy "
    "porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel "
    "streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale "
    "willow_tree wolf woman worm"
)

_ENTRIES = (
    Published(
        name="mnist", title="handwritten digits", page="http://yann.lecun.com/exdb/mnist/", terms="as published",
        shape=(28, 28, 1), classes=10, train=60_000, test=10_000, fingerprint=MNIST.fingerprint,
    ),
    Published(
        name="fashion_mnist", title="pictures of clothes, made to replace MNIST",
        page="https://github.com/zalandoresearch/fashion-mnist", terms="MIT",
        shape=(28, 28, 1), classes=10, train=60_000, test=10_000, files=mirrors.FASHION_MNIST,
        class_names=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        fingerprint="29c813e0b0b9bc1d441cd13278f19d346d51197dd33e8af0e81d4b829b7addd5",
        places=("/usr/share/datasets/fashion-mnist",),
        by_package="Or install the package of Debian and Ubuntu, which is found by itself: apt install dataset-fashion-mnist",
    ),
    Published(
        name="kmnist", title="characters of classical Japanese, made to replace MNIST",
        page="http://codh.rois.ac.jp/kmnist/", terms="CC BY-SA 4.0",
        shape=(28, 28, 1), classes=10, train=60_000, test=10_000, files=mirrors.KMNIST,
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    *(
        Published(
            name=f"emnist_{split}", title=title, page="https://www.nist.gov/itl/products-and-services/emnist-dataset",
            terms="as published by NIST", shape=(28, 28, 1), classes=len(names), train=train, test=test, files=mirrors.EMNIST,
            read=partial(formats.emnist, split=split, first=1 if split == "letters" else 0), class_names=names,
            folder="emnist", note="its images are stored on their side and were turned upright",
        )
        for split, names, train, test, title in _EMNIST
    ),
    Published(
        name="qmnist", title="MNIST made again from its sources, with 60 000 test images",
        page="https://github.com/facebookresearch/qmnist", terms="as published",
        shape=(28, 28, 1), classes=10, train=60_000, test=60_000, files=mirrors.QMNIST, read=formats.qmnist,
    ),
    Published(
        name="usps", title="digits from envelopes, of 16 x 16 pixels",
        page="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps", terms="as published",
        shape=(16, 16, 1), classes=10, train=7_291, test=2_007, files=mirrors.USPS, read=formats.usps,
    ),
    Published(
        name="cifar10", title="colour photographs of animals and vehicles",
        page="https://www.cs.toronto.edu/~kriz/cifar.html", terms="as published",
        shape=(32, 32, 3), classes=10, train=50_000, test=10_000, files=mirrors.CIFAR10,
        read=partial(formats.cifar, batches=(tuple(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"), labels=1),
        class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
    Published(
        name="cifar100", title="colour photographs of 100 kinds of things",
        page="https://www.cs.toronto.edu/~kriz/cifar.html", terms="as published",
        shape=(32, 32, 3), classes=100, train=50_000, test=10_000, files=mirrors.CIFAR100,
        read=partial(formats.cifar, batches=(("train.bin",), "test.bin"), labels=2), class_names=tuple(_CIFAR100.split()),
    ),
    Published(
        name="svhn", title="house numbers in colour, from the street", page="http://ufldl.stanford.edu/housenumbers/",
        terms="for non-commercial use", shape=(32, 32, 3), classes=10, train=73_257, test=26_032, files=mirrors.SVHN,
        read=formats.svhn,
    ),
)  # fmt: skip

CATALOGUE: dict[str, Published] = {entry.name: entry for entry in _ENTRIES}
"""Names that a study may give as `data.dataset`."""
