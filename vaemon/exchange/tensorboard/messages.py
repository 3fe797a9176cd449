"""What an event file holds, as messages of Google's protobuf library: https://github.com/tensorflow/tensorboard.

Only the fields that are read or written here are described; of others a message keeps the bytes. Texts are described as
bytes, which look the same in a file: one that is not UTF-8 then costs its own letters, not the whole message. The
descriptions are in a pool of their own, so that TensorBoard's, in the same process, are not in their way.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELDS = {
    "Event": "wall_time:double=1 step:int64=2 file_version:bytes=3 summary:Summary=5 session_log:SessionLog=7",
    "SessionLog": "status:int32=1",
    "Summary": "value:Value*=1",
    "Value": (
        "tag:bytes=1 simple_value:float=2 image:Image=4 histo:Histogram=5 audio:bytes=6 tensor:Tensor=8 "
        "metadata:Metadata=9"
    ),
    "Metadata": "plugin_data:PluginData=1 display_name:bytes=2 summary_description:bytes=3 data_class:int32=4",
    "PluginData": "plugin_name:bytes=1 content:bytes=2",
    "Image": "height:int32=1 width:int32=2 colorspace:int32=3 encoded_image_string:bytes=4",
    "Histogram": (
        "min:double=1 max:double=2 num:double=3 sum:double=4 sum_squares:double=5 bucket_limit:double*=6 "
        "bucket:double*=7"
    ),
    "Tensor": (
        "dtype:int32=1 tensor_shape:Shape=2 tensor_content:bytes=4 float_val:float*=5 double_val:double*=6 "
        "int_val:int32*=7 string_val:bytes*=8 int64_val:int64*=10 bool_val:bool*=11 half_val:int32*=13 "
        "uint32_val:uint32*=16 uint64_val:uint64*=17"
    ),
    "Shape": "dim:Dim*=2 unknown_rank:bool=3",
    "Dim": "size:int64=1",
    "HParamsData": "version:int32=1 session_start_info:SessionStart=3",
    "SessionStart": "hparams:HParam*=1 start_time_secs:double=5",
    "HParam": "key:bytes=1 value:HParamValue=2",
    "HParamValue": "number_value:double=2 string_value:bytes=3 bool_value:bool=4",
}
"""Messages by name, each field as name:type=number, with a star where it may be repeated."""

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKED = ("double", "float", "int32", "int64", "bool", "uint32", "uint64")


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="vaemon/event_file.proto", package="vaemon", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field in fields.split():
            label, _, rest = field.partition(":")
            kind, _, number = rest.partition("=")
            repeated = kind.endswith("*")
            kind = kind.rstrip("*")
            made = message.field.add(
                name=label,
                number=int(number),
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
            )
            if kind in _FIELDS:
                made.type, made.type_name = _FIELD.TYPE_MESSAGE, f".vaemon.{kind}"
            else:
                made.type = getattr(_FIELD, f"TYPE_{kind.upper()}")
                if repeated and kind in _PACKED:
                    made.options.packed = True
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_described())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"vaemon.{name}"))


Event = _message("Event")
HParamsData = _message("HParamsData")

FILE_VERSION = b"brain.Event:2"
"""What the first event of a file says."""
SESSION_START = 1
"""Status of a session that begins: what earlier ones have of its step, and after, is void."""
SCALAR, TENSOR, BLOBS = 1, 2, 3
"""Classes of data."""
