"""Times that cannot be read: whoever may write an object writes them, and one of them must not hide the object.

The year 0 or 10000, an offset of 99 hours, no offset, a number, any text: such a time is none. Only a deletion's time says
something by being there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec.inspect import DateTimeType, DictType, Field, ListType, StructType, Type, UnionType, type_info

from upgate.facts.meta import LONG_AGO, Time

#: Fields whose presence counts, whatever they say.
PRESENT = ("deletionTimestamp",)
OF_TYPE = (DateTimeType, DictType, ListType, StructType)


@cache
def struct_of(kind: type) -> Type:
    """What msgspec knows of a type."""
    return type_info(kind)


def with_readable_times(value: Any, kind: Type) -> Any:
    """A JSON value of that type, in which each time can be read or is None."""
    if isinstance(kind, UnionType):
        kind = next((each for each in kind.types if isinstance(each, OF_TYPE)), kind)
    if isinstance(kind, DateTimeType):
        return value if is_time(value) else None
    if isinstance(kind, ListType) and isinstance(value, list):
        return [with_readable_times(each, kind.item_type) for each in value]
    if isinstance(kind, StructType) and isinstance(value, dict):
        known = {field.encode_name: field for field in kind.fields}
        return {key: member(known[key], each) for key, each in value.items() if key in known}
    return value


def member(field: Field, value: Any) -> Any:
    """The value of one field."""
    read = with_readable_times(value, field.type)
    lost = read is None and value is not None
    return LONG_AGO.isoformat() if lost and field.encode_name in PRESENT else read


def is_time(value: object) -> bool:
    """It is a time as the API server writes it."""
    try:
        msgspec.convert(value, Time)
    except msgspec.ValidationError:
        return False
    return True
