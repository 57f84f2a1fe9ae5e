"""Who speaks: eSpeak NG's speaker variants, each in one split only, and the accents of English."""

# Name to eSpeak NG's voice file.
ACCENTS = {
    "en-us": "gmw/en-us",
    "en-us-nyc": "gmw/en-us-nyc",
    "en-gb": "gmw/en",
    "en-gb-x-rp": "gmw/en-gb-x-rp",
    "en-gb-scotland": "gmw/en-gb-scotland",
    "en-029": "gmw/en-029",
}

# Variants that differ only in small things (iven to iven4, steph to steph3, Diogo to michel, belinda and linda, f2 and
# f5, Denis and victor, ...) stand in the same split, so that no test voice has a near twin in training. Left out are
# - whisper, whisperf, croak, Demonic, Mr serious, Tweaky, fast: hard to understand or jokes;
# - anikaRobot, announcer, robosoft (all), UniRobot, RicishayMax (all): an echo louder or longer than a room's;
# - klatt to klatt6: test beds of one buzzing synthesiser, two of them nearly silent;
# - Reed and caleb: their noise is the C library's rand(), which differs between machines.
VOICES = {
    "train": (
        *("Alicia", "Andrea", "Andy", "AnxiousAndy", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Marco"),
        *("Mario", "Mike", "Nguyen", "Storm", "adam", "anika", "antonio", "benjamin", "boris", "david", "edward"),
        *("edward2", "f1", "f4", "grandpa", "gustave", "ian", "iven", "iven2", "iven3", "iven4", "john", "kaukovalta"),
        *("m1", "m2", "m3", "m5", "m7", "m8", "marcelo", "max", "michel", "miguel", "mike2", "norbert", "pablo"),
        *("pedro", "sandro", "steph", "steph2", "steph3", "travis", "zac"),
    ),
    "validation": ("Alex", "Lee", "aunty", "f3", "grandma", "m6", "paul", "shelby"),
    "test": (
        *("Annie", "Denis", "Michael", "belinda", "ed", "f2", "f5", "linda", "m4", "quincy", "rob", "robert", "victor"),
    ),
}
