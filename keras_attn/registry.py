"""Parts that are arguments of layers: names, configurations and instances, one lookup for all of them."""

import inspect
import re

import keras

# Names whose capitals do not begin words.
_SPELLINGS = {"ALiBi": "alibi", "MoChA": "mocha"}


def snake_case(name):
    """Spell a class name as a string identifier: ``ScaledDot`` becomes ``scaled_dot``."""
    if name in _SPELLINGS:
        return _SPELLINGS[name]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def layer(identifier):
    """A layer that is an argument of another one, from an instance or its configuration; None stays None."""
    return keras.saving.deserialize_keras_object(identifier) if isinstance(identifier, dict) else identifier


def build(layer, *shapes):
    """Build a layer inside another one, unless there is none or it came built out of a saved file."""
    if layer is not None and not layer.built:
        layer.build(*shapes)


class Registry:
    """The members of one family, and how an identifier becomes an instance.

    Args:
        family: What a member is called in messages, for example ``"scorer"``.
        base: The base class of the family.
        wrap_function: Class whose instances turn a plain function into a member.
        members: The classes of the family.
        aliases: Further names: of a class, or of a function that makes a member with some options.
    """

    def __init__(self, family, base, wrap_function, members, aliases=None):
        self.family = family
        self.base = base
        self.wrap_function = wrap_function
        self.members = {snake_case(member.__name__): member for member in members}
        self.aliases = aliases or {}

    def get(self, identifier, dtype=None):
        """Return the member that `identifier` stands for.

        Args:
            identifier: A name (``"scaled_dot"``, ``"ScaledDot"`` or the registered name of a
                user's class or function), a configuration made by `serialize`, an instance, a
                class, or a function.
            dtype: Dtype policy for a member that is made here; an instance keeps its own.

        Raises:
            ValueError: If a name is not known; the message lists the known ones.
            TypeError: If `identifier` is none of the kinds above, or stands for something else.
        """
        if isinstance(identifier, str):
            if snake_case(identifier) in self.aliases:
                return self.aliases[snake_case(identifier)](dtype=dtype)
            identifier = self._look_up(identifier)
        elif isinstance(identifier, dict):
            identifier = keras.saving.deserialize_keras_object(identifier)
        if isinstance(identifier, self.base):
            return identifier
        if inspect.isclass(identifier) and issubclass(identifier, self.base):
            return identifier(dtype=dtype)
        if callable(identifier) and not isinstance(identifier, (type, keras.layers.Layer)):
            return self.wrap_function(identifier, dtype=dtype)
        raise TypeError(
            f"Expected a name, a configuration, an instance or subclass of {self.base.__name__}, or a "
            f"function, for the {self.family}. Received: {identifier!r}"
        )

    def serialize(self, member):
        """Return the configuration of `member`, which `get` turns back into it."""
        return keras.saving.serialize_keras_object(member)

    def _look_up(self, name):
        found = self.members.get(snake_case(name)) or keras.saving.get_registered_object(name)
        if found is None:
            known = ", ".join(repr(known) for known in sorted({**self.members, **self.aliases}))
            raise ValueError(
                f"Unknown {self.family}. Expected one of {known}, or the registered name of a class or "
                f"function of yours ('package>Name'). Received: {name!r}"
            )
        return found
