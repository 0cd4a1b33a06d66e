"""Mentions whose type nobody doubts: what tells that the names or ids of types were exchanged.

They were chosen from general knowledge, as names that a newspaper reader knows, and compared in lower
case. A cue is a first or last word that gives a longer mention its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAMES: Mapping[str, str] = {
    "PER": "barack obama|donald trump|george w. bush|hillary clinton|bill clinton|vladimir putin|john lennon|"
    "michael jackson|steve jobs|lionel messi|angela merkel|louis pasteur|albert einstein|nelson mandela|"
    "florence nightingale|franklin d. roosevelt|frida kahlo|johann sebastian bach|vincent van gogh|"
    "marie curie|george washington|richard nixon|david cameron|isaac newton|charles darwin|"
    "winston churchill|wangari maathai",
    "ORG": "european union|bbc|associated press|google|nato|microsoft|ibm|nintendo|united nations|fbi|cia|nasa|"
    "world health organization|international monetary fund|columbia records|chicago bulls|federal reserve|"
    "emi|bank of england|nestlé|unilever|university of oxford|democratic party|new york yankees|"
    "lehman brothers|unesco",
    "LOC": "united states|united kingdom|china|india|england|japan|california|france|london|australia|brazil|"
    "europe|canada|germany|russia|pakistan|mexico|spain|indonesia|philippines|peru|paris|berlin|vienna|"
    "rome|moscow|italy|cairo|senegal|ghana|chile|argentina|ethiopia|hong kong|texas|florida|chicago|egypt|"
    "poland|warsaw|tokyo|beijing",
    "ANIM": "elk|mule deer|black bear|salmon|rainbow trout|catfish|sheep|cattle|dog|dogs|cat|cats|horse|horses|"
    "goats|pigs|wolf|wolves|elephants|elephant|tigers|tiger|bald eagle|deer|snakes|birds|bird|mosquitoes|"
    "vultures|lions|lion|white-tailed deer|brown bear|camels|mules|bats|owls|whales|sharks|mice|rats|frogs|"
    "bees|beetles",
    "BIO": "escherichia coli|salmonella|plasmodium|penicillium|pseudomonas|yersinia pestis|vibrio cholerae|"
    "zika virus|staphylococcus aureus|bacillus subtilis|bacillus anthracis|saccharomyces cerevisiae|"
    "phytophthora infestans|tobacco mosaic virus|toxoplasma gondii|clostridium botulinum|giardia|"
    "legionella pneumophila|wolbachia|klebsiella",
    "CEL": "earth|moon|neptune|uranus|pluto|milky way|andromeda galaxy|halley 's comet|sirius|betelgeuse|ganymede|"
    "callisto|orion nebula|proxima centauri|alpha centauri|polaris|crab nebula|large magellanic cloud|"
    "enceladus|sun",
    "DIS": "malaria|tuberculosis|pneumonia|cancer|breast cancer|leukemia|cholera|smallpox|polio|measles|scurvy|"
    "diabetes|rabies|leprosy|rickets|dysentery|asthma|epilepsy|schizophrenia|hepatitis|stroke|yellow fever|"
    "obesity|typhus|influenza|autism|osteoporosis|sepsis|bubonic plague|dementia|lung cancer|gangrene|"
    "pellagra|diarrhea",
    "EVE": "world war ii|world war i|american civil war|vietnam war|korean war|french revolution|fa cup|"
    "arab spring|tour de france|crimean war|spanish civil war|falklands war|first world war|"
    "second world war|thirty years ' war|american revolutionary war|uefa champions league|"
    "battle of hastings|boston tea party|velvet revolution|battle of waterloo|russo-japanese war|"
    "war of 1812|cold war|haitian revolution|taiping rebellion",
    "FOOD": "milk|wine|bread|beer|cheese|olive oil|coffee|honey|beef|soy sauce|ice cream|butter|tea|pasta|yogurt|"
    "chocolate|pizza|soup|cake|rum|whisky|vodka|salt|sugar|eggs|sausage|sushi|molasses|pork|vinegar|cider|"
    "noodles",
    "INST": "violin|microscope|piano|telescope|astrolabe|stethoscope|thermometer|oboe|sextant|cello|flute|trumpet|"
    "hammer|guitar|barometer|barometers|compass|harp|clarinet|organ|tabla|kora|apple ii|"
    "hubble space telescope",
    "MEDIA": "rotten tomatoes|tv guide|star wars|tetris|the simpsons|star trek|casablanca|the new york times|"
    "blade runner|seven samurai|lawrence of arabia|west side story|things fall apart|the lord of the rings|"
    "hamlet|war and peace|doctor who|sesame street|time magazine|the godfather|the master and margarita|"
    "little women|nineteen eighty-four",
    "MYTH": "poseidon|zeus|hera|odin|vishnu|shiva|osiris|isis|achilles|athena|aphrodite|amaterasu|hanuman|heracles|"
    "perseus|medusa|krishna|ganesha|quetzalcoatl|huitzilopochtli|durga|ahura mazda|ulysses|loki|anubis|baal",
    "PLANT": "oak|wheat|barley|maple|tobacco|willow|larch|hemlock|douglas fir|cedar|cypress|aspen|shrub|bamboo|"
    "cotton|sugar cane|sugarcane|fig|acacia|sorghum|rhododendron|birch|eucalyptus|oaks|pines|clover|pine|"
    "beech|grass|trees|tree|mangrove|evergreen|orchids|roses|marigolds|yews|cinchona|moss",
    "TIME": "great depression|middle ages|bronze age|iron age|neolithic|mesolithic|renaissance|christmas|easter|"
    "ramadan|thanksgiving|halloween|diwali|good friday|edo period|tang dynasty|pleistocene|passover|"
    "yom kippur|holocene|meiji period|victorian era|heian period|nowruz|enlightenment|jurassic|cretaceous|"
    "eid al-fitr",
    "VEHI": "boeing 747|ford model t|volkswagen beetle|cessna 150|bugatti veyron|toyota land cruiser|endeavour|"
    "hms victory|supermarine spitfire|airbus a330|great eastern|titanic|concorde|vasa|queen mary 2|"
    "gorch fock|messerschmitt bf 109|space shuttle|challenger|boeing 737|airbus a320|douglas dc-3",
}  # fmt: skip
"""Mentions of each type, parted by bars."""

_FIRST = (
    "ahmed albert alexander ali alice andrew anna anthony antonio arthur barbara benjamin bill bob brian carlos "
    "charles daniel david donald edward elizabeth emily eric ernst francis francisco frank frederick friedrich "
    "george giovanni giuseppe hans heinrich helen henry ivan jack james jason jean jennifer jim joe johann john "
    "jose joseph juan karl kevin louis margaret maria mark martin mary matthew michael miguel mohammed muhammad "
    "nikolai patrick paul pedro peter philip pierre richard robert ronald rosa ruth samuel sarah scott stephen "
    "steven susan thomas tom walter wilhelm william"
)
FIRST_NAMES = frozenset(_FIRST.split())
"""A mention of two or three words that begins so is a person, unless its last word is a cue."""

LAST_WORDS: Mapping[str, str] = {
    "ORG": "university association company corporation party ministry records committee institute bank orchestra "
    "council federation organization inc. academy college airlines foundation museum",
    "LOC": "river county island islands lake mountains valley province district street sea bay peninsula desert ocean",
    "EVE": "war revolution championship olympics championships cup rebellion uprising massacre siege",
    "DIS": "disease syndrome cancer fever disorder infection",
    "TIME": "dynasty period century era age",
    "BIO": "virus",
    "CEL": "nebula galaxy",
}

_NAMED = {name: kind for kind, names in NAMES.items() for name in names.split("|")}
_LAST = {word: kind for kind, words in LAST_WORDS.items() for word in words.split()}


def known_type(words: Sequence[str]) -> str | None:
    """The type that the mention ``words`` has beyond doubt; None for most mentions."""
    lower = [word.lower() for word in words]
    named = _NAMED.get(" ".join(lower))
    if named or len(words) == 1:
        return named
    last = _LAST.get(lower[-1])
    if last:
        return last
    return "PER" if len(words) <= 3 and lower[0] in FIRST_NAMES and words[-1][:1].isupper() else None
