"""Published image networks as window networks, one a module."""

from hsi.networks.backbones.alexnet import AlexNet
from hsi.networks.backbones.backbone import Backbone
from hsi.networks.backbones.danet import DANet
from hsi.networks.backbones.googlenet import GoogLeNet
from hsi.networks.backbones.lenet5 import LeNet5
from hsi.networks.backbones.mobilenet_v1 import MobileNetV1
from hsi.networks.backbones.mobilenet_v2 import MobileNetV2
from hsi.networks.backbones.resnet import ResNet
from hsi.networks.backbones.senet import SENet
from hsi.networks.backbones.vgg16 import VGG16

# All of them; `hsi.classifiers.catalogue` has their names.
BACKBONES: tuple[type[Backbone], ...] = (
    LeNet5,
    AlexNet,
    VGG16,
    GoogLeNet,
    ResNet,
    MobileNetV1,
    MobileNetV2,
    SENet,
    DANet,
)
