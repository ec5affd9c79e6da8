"""Common English words for lexical augmentation.

None is a word of an unseen category, so that training never shows those words.
"""

COMMON_WORDS = tuple(
    """
    acid actor album alley amount anchor angle ankle answer apple apron arch armor arrow artist aspect
    attic axle badge bakery balcony bamboo banner barrel basket battery beach bead beam beard bicycle
    binder bishop blade blanket blossom bolt bone border boulder bowl branch brass bread breeze brick
    bridge broom brush bucket buckle budget bundle burner bush button cabin cabinet cable camera canal
    candle canvas capital carpet carriage cart castle cause ceiling chain chalk chamber channel chapter
    charge chart cheese cherry chest chimney choir circle circuit client cliff clock closet cloud coach
    coast cobbler colour column comet compass copper corner cotton council counter cousin cover cradle
    craft credit creek crew crop crown cup curtain cushion custom cycle dancer deadline debate debt deck
    degree denim deposit desert design device dialect diamond dinner direction discount disk distance
    district doctrine dollar dome donkey dough draft drawer dress drill driver drum duty eagle earth
    edge effect effort elbow elevator emblem engine entrance envelope equipment error essay estimate
    evening event exam exchange exhibit exit fabric factor farm fashion feather fence fiber figure film
    filter finger fireplace flag flavour fleet flour flute foam folder forest fork form fountain frame
    freight frost fuel function funnel furnace galaxy gallon game gate gear gem ghost giant glacier
    glass globe glove goose grade grain granite graph gravel grove guard guide guitar hammer handle
    hangar hat hazard heart heater hedge height helmet hill hinge hive hobby holiday hook horn horse
    hospital hull idea image income index insect insight invoice island item ivory jacket jar jewel
    joint journey judge juice jungle kettle key kidney kitten knee knife knot label ladder lamp landing
    lane language lantern lawn layer leaf league lease leather lecture legend length lesson level lever
    library limit linen lion liquid loan lobby locker loop lumber lunch machine magnet mango manual map
    marble margin market mask mast mattress maximum meadow meal measure medal melody menu merchant
    merger metal meter method mill mirror mixture model moment monument mortar motor mountain mouth
    muscle mushroom nail native needle nephew nest net network nickel note notion nurse oak object ocean
    office onion option oracle orange orbit organ outlet oven owl oxygen package paddle palace panel
    paper parade parcel park parrot part pasta path patrol pattern pavement peach pearl pedal pencil
    pension permit phase phone piano picture pigeon pillow pilot pipe pitch plain planet plaster plate
    plaza plough pocket poem point pole pond portrait position pottery pouch powder prayer premium prism
    prize problem product profile profit project proof protein puddle pulse pump puppet purse puzzle
    quarter queen question quilt rabbit radar rail rainbow ramp ranch range rank rate ratio ray reason
    receipt recess record reef region relative rental repair report rescue resin result reward rhythm
    ribbon rice ridge ring ritual river robot rocket roof rope route rubber rug rule saddle safety sail
    sample sand sauce saw scale scarf scene scheme school science screen screw season sensor series
    settlement shadow shape shed shelf shield shirt shoe shovel shower signal silk sketch skill sleeve
    slice smoke snack soap socket soil solution spark speaker sphere spice spoon spring square squirrel
    stable staff stage stair stamp statue steam steel stem stone storm story stove straw stream street
    string structure studio sugar suit summer surface survey swamp sweater swing switch symbol syrup
    system tablet tailor tank tape target task tax tea temple tenant tent term texture thread throne
    thumb tide tiger timber tissue title toast toe tone tool torch tower toy track trade trail trap tray
    treasure tree trend trial tribe trophy trunk tube tulip tunnel turbine turtle tyre umbrella uncle
    unit valley valve vase vector vehicle veil vein vendor verse vessel vest victim village violin visit
    voice volcano volume voyage wagon wall wallet walnut wave wax wealth weapon web wedge weight whale
    wheat wheel whistle width wing winter wire witness wolf wonder wool workshop world wreath wrist
    yacht yard yarn year yeast zone accept adjust admit advise allow appoint approve attach attend
    borrow bring build carry choose claim collect confirm connect copy deliver describe donate enter
    examine extend finish gather grant import improve inspect invite join lend load lower merge move
    notify offer open pack paint pause pay place plan post prepare publish raise reach receive renew
    replace return review send serve share ship sign start store submit supply support swap teach test
    train transfer update upload verify wash watch weigh wrap write
    """.split()
)
