"""Things one says to a house and a phone: "call doctor brown on his mobile at half past seven"."""

import re

from .number_words import cardinal

MAX_WORDS = 8

# A pattern is words and {slots}; a slot is filled with one of its fillers, which may hold slots again. A filler that
# stands twice is twice as likely.
PATTERNS = (
    "turn {the} {room} {light} {on_off}",
    "switch {on_off} {the} {room} {light}",
    "make {the} {room} {light} {colour}",
    "dim {the} {room} {light} to {tens} percent",
    "set {the} {room} heating to {degrees} degrees",
    "make {the} {room} {warmer} {by_time}",
    "how {warm} is it in {the} {room}",
    "play {music} in {the} {room}",
    "play {music} {by_time}",
    "turn {the} {device} {up_down} {a_little}",
    "{pause} {the} {device} in {the} {room}",
    "set a timer for {minutes} {unit}",
    "{set} {a} {purpose} timer for {minutes} minutes",
    "wake me up at {time} {day}",
    "set an alarm for {time} {day}",
    "{cancel} {my} {ordinal} {alarm}",
    "remind me to {task} {at_time}",
    "remind {person} to {task}",
    "call {person} {at_time}",
    "call {doctor} on {whose} mobile {at_time}",
    "{send} {a} message to {person}",
    "tell {person} i will be {late}",
    "read my {which} message from {person}",
    "add {quantity} {food} to {my} shopping list",
    "remove {food} from {my} shopping list",
    "do we need {more} {food} {or} {food}",
    "will it {rain} in {city} {day}",
    "what is the weather like in {city} {day}",
    "{open} {the} {room} {blinds}",
    "{open} {the} {blinds} {by_time}",
    "{start} the vacuum cleaner in {the} {room}",
    "{start} {the} {machine} {at_time}",
    "{lock} {the} {door} door {by_time}",
    "keep {the} {door} door {locked} {by_time}",
    "when is my {which} meeting with {person}",
)
SLOTS = {
    "on_off": "on|off",
    "the": "the|the|my",
    "a": "a|another",
    "my": "my|the|our",
    "room": "kitchen|bedroom|bathroom|hallway|garage|office|garden|living room",
    "light": "light|lights|lamp",
    "colour": "red|blue|green|yellow|orange|purple|white",
    "tens": "ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety",
    "degrees": "|".join(cardinal(number) for number in range(16, 23)),
    "warmer": "warmer|cooler|brighter|darker",
    "warm": "warm|cold|bright|dark",
    "music": "jazz|folk songs|rock music|piano music|quiet music|the news|the radio",
    "device": "music|radio|television|speaker",
    "up_down": "up|down",
    "a_little": "a little|a lot|now|please",
    "pause": "pause|stop|mute",
    "set": "set|start",
    "minutes": "|".join(cardinal(number) for number in (*range(2, 13), 15, 20, 25, 30, 40, 45, 50)),
    "unit": "minutes|seconds",
    "purpose": "pizza|pasta|tea|laundry",
    "hour": "|".join(cardinal(number) for number in range(1, 13)),
    "time": "{hour} o'clock|half past {hour}|quarter past {hour}|quarter to {hour}|{hour} thirty|{hour} fifteen",
    "day": "today|tomorrow|tonight|on {weekday}|this {part}|next {weekday}|tomorrow {part}",
    "weekday": "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "part": "morning|afternoon|evening",
    "at_time": "at {time}|in {minutes} minutes|{day}|after lunch|before dinner",
    "by_time": "at {time}|now|please|before sunset|in the {part}|when i leave",
    "cancel": "cancel|delete|change",
    "ordinal": "first|second|third|last|next|{weekday}|{part}",
    "alarm": "alarm|timer|reminder|meeting",
    "task": "feed the {pet}|water the plants|call {person}|pay the {bill} bill|buy {food}|wash the car|book a table",
    "pet": "cat|dog",
    "bill": "water|phone",
    "person": "{first_name}|{first_name}|{doctor}|my {relative}",
    "first_name": "anna|peter|maria|david|laura|thomas|emma|oliver|sophie|daniel",
    "doctor": "{title} {surname}",
    "title": "doctor|mister|professor",
    "surname": "brown|miller|taylor|wilson|cooper|bennett",
    "relative": "mother|father|sister|brother",
    "whose": "his|her",
    "send": "send|write",
    "late": "late {day}|home soon|there at {time}|{minutes} minutes late|on the bus|on the train|away {day}",
    "quantity": "{small} bottles of|{small} boxes of|a bag of|some|more",
    "small": "two|three|four|five|six",
    "food": "milk|bread|butter|cheese|apples|bananas|tomatoes|potatoes|coffee|rice|sugar|honey|chocolate|eggs",
    "more": "any|more",
    "or": "or|and",
    "rain": "rain|snow|be sunny|be windy|be cloudy",
    "city": "london|paris|berlin|madrid|boston|dublin",
    "which": "last|next|first",
    "open": "open|close|raise|lower",
    "blinds": "blinds|curtains|window",
    "start": "start|stop",
    "machine": "dishwasher|washing machine|coffee machine|oven",
    "lock": "lock|unlock|close|open",
    "door": "front|back|garage|garden",
    "locked": "locked|closed",
}


def sentence(draws, slots=SLOTS):
    """One command of 3 to 8 words."""
    text = draws.choice(PATTERNS)
    while "{" in text:
        text = re.sub(r"{(\w+)}", lambda slot: draws.choice(slots[slot[1]].split("|")), text)
    return text if len(text.split()) <= MAX_WORDS else sentence(draws, slots)
