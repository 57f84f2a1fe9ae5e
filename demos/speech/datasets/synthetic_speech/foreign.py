"""English digits as people say them whose first language is another: written so that a voice of theirs reads them.

A voice of eSpeak NG knows the sounds and the spelling rules of its language. Given "thri" a Spanish one says "three"
with a Spanish "r", a German one with a "t". Where a language has its own spelling of the English words, it is this.
"""

from .sentences.number_words import DIGITS

# Name of the accent to eSpeak NG's voice file, and how "zero" to "nine" are written. What is written with a bar between
# is drawn from.
_WRITTEN = {
    "af": ("gmw/af", "siero wan toe trie foor faaiv siks sewen|seven eit|eet nain"),
    "bg": ("zls/bg", "зироу уан|уън ту три|сри фор файв|файф сикс севън|севен ейт найн"),
    "bn": ("inc/bn", "জিরো ওয়ান টু থ্রি ফোর ফাইভ সিক্স সেভেন এইট নাইন"),
    "ca": ("roa/ca", "sirou|sero uan tu zri|tri for faiv|faif sics seven|seben eit nain"),
    "cs": ("zlw/cs", "zírou|zíro van tú srí|trí fór|for fajv|fajf siks sevn|seven ejt najn"),
    "cy": ("cel/cy", "siro wan tw thri ffor ffaif sics sefn eit nain"),
    "da": ("gmq/da", "siro wan tu tri|sri for fajv|fajf siks seven|sevn ejt najn"),
    "de": ("gmw/de", "siro|sihro wann|uan tuh|tu thrie|srieh fohr|for feif|faiv sicks seven|sewen eet|äit nein"),
    "el": ("grk/el", "ζίρο|ζίροου ουάν του θρι φορ φάιβ|φάιφ σιξ σέβεν έιτ νάιν"),
    "eo": ("art/eo", "ziro ŭan tu tri|sri for fajv|fajf siks seven|sevn ejt najn"),
    "es": ("roa/es", "sirou|sero uan|guan tu zri|tri for faiv|faif sics seven|seben eit nain"),
    "es-419": ("roa/es-419", "sirou|siro uan|guan tu zri|tri for faiv|faif sics seven|seben eit nain"),
    "et": ("urj/et", "siirou|siro vann|uann tuu srii|trii foor faiv|faif siks seven eit nain"),
    "fi": ("urj/fi", "siro|siirou van|uan tuu thrii|srii foor faiv|faif siks seven eit nain"),
    "fr": ("roa/fr", "zirau|zérau ouanne|ouone tou|toû srî|fri fôre|faure faïve sixe sévène|sèveune eïte|éte naïne"),
    "fr-be": ("roa/fr-be", "zirô|zéro ouanne|ouone tou srî|tri fôre|faure faïve sixe sévène eïte|ète naïne"),
    "fr-ch": ("roa/fr-ch", "zirô|zéro ouanne|ouone tou tri|sri fôre|faure faïve sixe sévène éite|ète naïne"),
    "hi": ("inc/hi", "ज़ीरो|जीरो वन टू थ्री फ़ोर|फोर फ़ाइव|फाइव सिक्स सेवन|सेवेन एट नाइन"),
    "hr": ("zls/hr", "ziro|zirou uan|van tu tri|sri for fajv|fajf siks seven ejt najn"),
    "hu": ("urj/hu", "zíró ván|van tú trí|szrí fór fájv|fájf sziksz szeven éjt|ejt nájn"),
    "id": ("poz/id", "zirou|siro wan tu tri for faiv|faif siks seven|sefen eit|et nain"),
    "it": ("roa/it", "siro|zero uan|uon tu tri|sri for|foor faiv|faif sics seven eit nain"),
    "ja": ("jpx/ja", "ゼロ|ジロ ワン ツー スリー フォー ファイブ シックス セブン エイト ナイン"),
    "lt": ("bat/lt", "zyrou van|uan tu try|sry for faiv|faif syks seven eit nain"),
    "lv": ("bat/lv", "zirou van|uan tū trī|srī for faiv|faif siks seven eit nain"),
    "nb": ("gmq/nb", "siro oann|van tu tri|sri får faiv|faif siks seven eit|eyt nain"),
    "nl": ("gmw/nl", "ziero|zirro wan toe srie|trie foor|for faiv|faif siks seven eet|eit nain"),
    "pl": ("zlw/pl", "zirou|ziro łan tu tri|sri for fajw|fajf syks|siks sewen ejt najn"),
    "pt": ("roa/pt", "zirou|ziro uane|uâne tu tri|sri for faive|faife sics|sixe séven|sévene eite|eit naine"),
    "pt-br": ("roa/pt-br", "zirou|ziro uan|uâne tu tri|sri for faive|faif sics|siquis séven eit|eite nain"),
    "ro": ("roa/ro", "ziro|zirău uan tu thri|sri|tri for faiv|faif sics seven|sevăn eit nain"),
    "sk": ("zlw/sk", "zírou|zíro van tú trí|srí fór|for fajv|fajf siks seven ejt najn"),
    "sl": ("zls/sl", "ziro|zirou uan|van tu tri|sri for fajv|fajf siks seven ejt najn"),
    "sq": ("ine/sq", "ziro uan tu thri|tri for fajv|fajf siks seven ejt najn"),
    "sv": ("gmq/sv", "siråo|siro oann|vann tu tri|sri får fajv|fajf siks sevven|seven ejt najn"),
    "sw": ("bnt/sw", "ziro wan tu thri foo faivu|faivi siksi seveni eiti naini"),
    "ta": ("dra/ta", "ஜீரோ ஒன் டூ த்ரீ ஃபோர் ஃபைவ் சிக்ஸ் செவன் எயிட் நைன்"),
    "te": ("dra/te", "జీరో వన్ టూ త్రీ ఫోర్ ఫైవ్ సిక్స్ సెవెన్ ఎయిట్ నైన్"),
    "tr": ("trk/tr", "ziro van|uan tu tri|sri for fayv|fayf siks sevın|seven eyt nayn"),
    "uk": ("zle/uk", "зіроу уан|ван ту срі|трі фор файв|файф сікс севен ейт найн"),
}
FOREIGN_ACCENTS = {name: voice for name, (voice, _) in _WRITTEN.items()}
_SPELLINGS = {
    name: dict(zip(DIGITS, (word.split("|") for word in words.split(" ")), strict=True))
    for name, (_, words) in _WRITTEN.items()
}


def written(text, accent, draws):
    """A text of digits as a voice of an accent is to read it, with as many words.

    >>> from .draws import Draws
    >>> written("seven two", "pl", Draws("a"))
    'sewen tu'
    """
    return " ".join(draws.choice(_SPELLINGS[accent][word]) for word in text.split(" "))
