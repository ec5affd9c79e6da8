"""Words that give orders or stand for others, by language: function words, quantifiers, multipliers.

A value of a request that is a name, a noun or a list of words does not contain them; where one stands in
a value, it more likely changes what is asked ("pear apple in descending order", "Nobody lies").
"""

from collections.abc import Iterable

ENGLISH = "en"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LEAST_SHARE = (
    0.08  # of a class's words; a language of which fewer words are found is not the class's
)
_FUNCTION = {
    ENGLISH: """
    the this that these those each every either neither another other others such same all any
    some none no both few several many  much enough half dozen dozens pair pairs couple
    double triple quadruple twice thrice hundred hundreds thousand thousands million millions
    billion he she it they we you him her them us me my your his its our their theirs who whom
    whose which what nobody noone everyone everybody someone somebody anyone anybody nothing
    something everything anything whoever whichever whatever himself herself itself themselves
    in on at to of for from by with without within into onto about through during except
    excluding including per as than until since via and or but nor then if unless because while
    whereas though although so is are was were be been being am do does did has have had having
    can could would shall should might must let lets not never cannot don't doesn't isn't aren't
    won't only just also too very again instead otherwise else however please always ever
    already when where whenever wherever how why afterwards
    """,
    "de": """
    der die das den dem des ein eine einen einem einer eines kein keine keinen keiner niemand
    jemand jeder jede jedes jeden alle allen alles nichts etwas manche viele wenige beide beiden
    andere anderen nicht nie niemals und oder aber sondern denn dann wenn falls weil ob als wie
    nur auch bitte in im an am auf aus bei mit nach von vom vor zu zum zur bis ohne gegen um
    durch er sie es wir ihr ich du man sich ist sind war waren wird werden hat haben sein
    dutzend paar doppelt hundert tausend außer rückwärts absteigend absteigender umgekehrt
    umgekehrter danach anschließend
    """,
    "fr": """
    le la les un une des du de au aux ce cet cette ces chaque tout tous toute toutes aucun
    aucune personne rien quelqu quelques plusieurs beaucoup peu autre autres ne pas jamais plus
    ni et ou mais donc car puis ensuite si que qui dont dans en sur sous par pour avec sans vers
    chez entre sauf comme il elle ils elles nous vous je tu on se est sont était a ont être
    avoir douzaine douzaines paire paires cent mille double seulement aussi décroissant
    croissant inverse
    """,
    "es": """
    el la los las un una unos unas lo al del este esta estos estas cada todo todos toda todas
    ningún ninguna ninguno nadie alguien alguno algunos algunas nada algo muchos pocos varios
    otro otros no nunca ni y o pero sino pues luego después si que quien cual en de a por para
    con sin sobre entre hasta desde según excepto salvo como él ella ellos ellas nosotros yo tú
    se es son era está están ha han ser docena docenas par pares cien mil doble sólo solo
    también descendente ascendente inverso
    """,
    "it": """
    il lo la i gli le un uno una del della dei delle degli al alla ai alle questo questa questi
    queste ogni tutto tutti tutta tutte nessuno nessuna qualcuno niente nulla qualcosa molti
    pochi altro altri non mai né e o ma poi quindi se che chi in di a da con su per tra fra
    senza fino secondo eccetto tranne come lui lei loro noi voi io si è sono era ha hanno essere
    dozzina paio doppio cento mille solo anche decrescente crescente inverso
    """,
    "pt": """
    o a os as um uma uns umas do da dos das no na nos nas ao aos este esta estes estas cada todo
    todos toda todas nenhum nenhuma ninguém alguém nada algo muitos poucos vários outro outros
    não nunca nem e ou mas depois então se que quem em de por para com sem sobre entre até desde
    exceto salvo como ele ela eles elas nós eu você é são era está tem têm ser dúzia par pares
    cem mil dobro só também decrescente crescente inverso
    """,
    "nl": """
    de het een deze die dit dat elke elk ieder iedereen niemand iemand alle alles niets iets
    geen veel weinig beide andere anderen niet nooit en of maar want dan als omdat in op aan bij
    met na van voor naar tot zonder tegen om door uit over hij zij ze wij we jullie ik je men
    zich is zijn was waren wordt worden heeft hebben dozijn paar dubbel honderd duizend alleen
    ook behalve aflopende oplopende omgekeerde
    """,
}
FUNCTION_WORDS = {language: _words(text) for language, text in _FUNCTION.items()}
OPERATION_WORDS = _words(
    """
    descending ascending reverse reversed reversely backward backwards alphabetical
    alphabetically numerical numerically lexicographically chronological sorted unsorted
    unordered shuffled uppercase lowercase capitalized capitalised duplicate duplicates ignore
    ignoring skipping omitting omit removing separated separately altogether respectively
    inclusive exclusive multiplied divided rounded doubled tripled squared halved negated
    inverted opposite opposites randomly longest shortest
    """
)
"""English words that name an operation on values."""
LONE_WORDS = _words(
    """
    same such other others many  much enough half million millions billion hundred hundreds
    thousand thousands double triple quadruple pair pairs couple nothing something everything
    anything through about during until since nor while whereas though although having would
    could should might must never won't too very again instead otherwise however always ever
    already when where whenever wherever whatever whichever  himself herself itself
    themselves afterwards can't reverse reversed reversely backward alphabetical numerical
    chronological sorted unsorted unordered shuffled capitalized capitalised duplicate ignore
    omit removing separated altogether respectively inclusive exclusive multiplied divided
    rounded doubled tripled squared halved negated inverted opposite opposites longest shortest
    """
)
"""Words that a list of words may contain by chance: there, they count only beside another such word."""
PARTNER_WORDS = _words(
    """
    first last more less plus minus order length letter letters case one two three four five
    times number numbers sum word words list item items line lines vowel vowels size frequency
    largest smallest biggest highest lowest top bottom skip remove add drop keep leave out print
    join count per next previous consonants digits nouns verbs json csv caps
    """
)
"""Words of a list that count only beside another of them, or beside one of the above."""
CLOSING_WORDS = OPERATION_WORDS | _words("double triple quadruple twice thrice")
"""Words at the end of a list of words that are more likely an order for all of it."""
TAKING_WORDS = _words("skip remove drop omit ignore exclude minus plus add keep leave")
"""Words that with the last word of a list are more likely an order."""
_PRONOUNS = {
    ENGLISH: """
    nobody noone everyone everybody someone somebody anyone anybody whoever neither either they each both
    none all she who
    """,
    "de": "niemand jeder jede jemand alle keiner beide",
    "fr": "personne chacun quelqu tous aucun",
    "es": "nadie todos alguien ninguno cada",
    "it": "nessuno tutti qualcuno ogni",
    "pt": "ninguém todos alguém nenhum cada",
    "nl": "niemand iedereen iemand alle geen",
}
PRONOUNS = {language: _words(text) for language, text in _PRONOUNS.items()}
"""Words in the place of a name, by language."""


def languages_of(words: Iterable[str]) -> frozenset[str]:
    """Return the languages whose function words a class's wording (lower-case words) contains.

    English, if the wording has words of no language that is known here and is plain ASCII, such as
    ``km -> miles``.
    """
    every = list(words)
    found = {
        language: sum(word in known for word in every) for language, known in FUNCTION_WORDS.items()
    }
    most = max(found.values(), default=0)
    if every and most >= max(1, _LEAST_SHARE * len(every)):
        return frozenset(language for language, count in found.items() if count == most)
    plain = all(word.isascii() for word in every)
    return frozenset({ENGLISH}) if plain else frozenset()


def counts_capitalised(word: str) -> bool:
    """Return whether a function word counts where it is written like a name.

    Short ones are names too (An, So, He, Can) and words all in capitals are codes (IN, OR, IT).
    """
    return len(word) >= 4 or word in {"she", "all", "any", "few", "who", "not", "the", "and", "but"}
