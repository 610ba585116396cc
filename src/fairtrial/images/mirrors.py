"""Which files the published data sets consist of: where they are, how large they are, and their checksums.

SHA-256 and sizes are those of TensorFlow Datasets (its `url_checksums`), which downloads the same files; nobody has
published more than an MD5 of USPS, which is torchvision's. No checksum here was made by us.
"""

from __future__ import annotations

from fairtrial.images.fetching import File

_GITHUB_FASHION = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
_FASHION = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    _GITHUB_FASHION,
)
_KMNIST = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/", "https://codh.rois.ac.jp/kmnist/dataset/kmnist/")
_QMNIST = (
    "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
    "https://github.com/facebookresearch/qmnist/raw/master/",
)
_CIFAR = (
    "https://www.cs.toronto.edu/~kriz/",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
)
_SVHN = ("http://ufldl.stanford.edu/housenumbers/", "https://ufldl.stanford.edu/housenumbers/")
_USPS = (
    "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",
    "http://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",
)


def _file(places: tuple[str, ...], name: str, size: int | None, sha256: str = "", md5: str = "") -> File:
    return File(
        name=name, urls=tuple(f"{place}{name}" for place in places), size=size, sha256=sha256, md5=md5
    )


FASHION_MNIST = (
    _file(_FASHION, "train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    _file(_FASHION, "train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    _file(_FASHION, "t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    _file(_FASHION, "t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)  # fmt: skip
KMNIST = (
    _file(_KMNIST, "train-images-idx3-ubyte.gz", 18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
    _file(_KMNIST, "train-labels-idx1-ubyte.gz", 29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
    _file(_KMNIST, "t10k-images-idx3-ubyte.gz", 3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
    _file(_KMNIST, "t10k-labels-idx1-ubyte.gz", 5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
)  # fmt: skip
QMNIST = (
    _file(_QMNIST, "qmnist-train-images-idx3-ubyte.gz", 9_704_059, "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"),
    _file(_QMNIST, "qmnist-train-labels-idx2-int.gz", 463_024, "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"),
    _file(_QMNIST, "qmnist-test-images-idx3-ubyte.gz", 9_742_279, "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"),
    _file(_QMNIST, "qmnist-test-labels-idx2-int.gz", 526_800, "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"),
)  # fmt: skip
EMNIST = (
    File(
        name="gzip.zip",
        urls=(
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
        ),
        size=561_753_746,
        sha256="fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    ),
)
CIFAR10 = (
    _file(_CIFAR, "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
)  # fmt: skip
CIFAR100 = (
    _file(_CIFAR, "cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
)  # fmt: skip
SVHN = (
    _file(_SVHN, "train_32x32.mat", 182_040_794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
    _file(_SVHN, "test_32x32.mat", 64_275_384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
)  # fmt: skip
USPS = (
    _file(_USPS, "usps.bz2", None, md5="ec16c51db3855ca6c91edd34d0e9b197"),
    _file(_USPS, "usps.t.bz2", None, md5="8ea070ee2aca1ac39742fdd1ef5ed118"),
)
