import re

FORM = re.compile(r"I have (.+)\. How many ([a-z ]+) do I have\?")
COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
          "seven": 7, "eight": 8, "nine": 9, "ten": 10}
KINDS = {
    "fruits": "apple apricot banana blackberry blueberry cantaloupe cherry coconut cranberry date "
    "fig grape grapefruit guava kiwi lemon lime lychee mandarin mango melon nectarine orange papaya "
    "peach pear pineapple plum pomegranate prune raisin raspberry strawberry tangerine watermelon",
    "vegetables": "artichoke asparagus aubergine beet beetroot broccoli cabbage carrot cauliflower "
    "celery cucumber eggplant garlic kale leek lettuce onion parsnip pea pepper potato pumpkin "
    "radish spinach squash turnip yam zucchini",
    "musical instruments": "accordion bassoon cello clarinet cymbal drum fiddle flute guitar harp "
    "harmonica horn keyboard mandolin oboe organ piano saxophone tambourine triangle trombone "
    "trumpet tuba ukulele viola violin xylophone",
    "animals": "bear bird butterfly camel cat chicken cow crab deer dog dolphin donkey duck eagle "
    "elephant fish fox frog giraffe goat goose hamster hen hippo horse kangaroo lion lizard monkey "
    "mouse panda parrot penguin pig pony rabbit rat rooster shark sheep snail snake spider squirrel "
    "swan tiger turkey turtle whale wolf worm zebra",
    "things": "bed blender bookcase bookshelf car chair clock closet couch cupboard desk dishwasher "
    "dresser drawer fridge kettle lamp light_bulb microwave mirror oven phone printer radio "
    "refrigerator rug shelf sink sofa stool stove table television toaster truck tv vase wardrobe",
}
IRREGULAR = {"goose": "geese", "mouse": "mice", "fish": "fish", "sheep": "sheep", "deer": "deer",
             "wolf": "wolves", "bookshelf": "bookshelves", "shelf": "shelves"}
PARTS = ("head", "stalk", "clove", "piece")


def plural(word):
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh")) or word in ("potato", "mango", "tomato"):
        return word + "es"
    return word + "s"


def vocabulary():
    words = {}
    for kind, text in KINDS.items():
        for name in text.split():
            word = name.replace("_", " ")
            forms = {(word, False), (plural(word), True)}
            if kind == "vegetables":
                for part in PARTS:
                    forms |= {(f"{word} {part}", False), (f"{word} {part}s", True)}
                    forms |= {(f"{part} of {word}", False), (f"{part}s of {word}", True)}
            for form, many in forms:
                words[form, many] = kind
    return words


WORDS = vocabulary()


def kind_of(count, noun):
    return WORDS.get((noun, COUNTS[count] > 1))


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None or (found[2] not in KINDS and found[2] != "objects") or found[2] == "things":
        return None
    head, mark, last = found[1].rpartition(", and ")
    if not mark:
        return None
    items = []
    for part in [*head.split(", "), last]:
        count, _, noun = part.partition(" ")
        if count not in COUNTS or kind_of(count, noun) is None:
            return None
        items.append([count, noun])
    return {"items": items, "kind": found[2]}


def unparse(args: dict) -> str:
    items = [f"{count} {noun}" for count, noun in args["items"]]
    listed = ", ".join(items[:-1]) + ", and " + items[-1]
    return f"I have {listed}. How many {args['kind']} do I have?"


def solve(items, kind):
    if kind == "objects":
        return sum(COUNTS[count] for count, _ in items)
    return sum(COUNTS[count] for count, noun in items if kind_of(count, noun) == kind)


def render(args: dict, result) -> str:
    return str(result)
