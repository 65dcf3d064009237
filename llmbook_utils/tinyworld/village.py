"""What a village consists of: its people, places and objects, in two languages.

Each entity carries its English words, and what the Chinese text needs: a name, a noun
with its localizer (``kitchen``: 厨房 + 里, inside), a noun with its measure word
(``lamp``: 盏). Two villages share the language and no entity: a model is trained on
stories of `HOME`, and meets `AWAY` only as a new domain.
"""

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    """A person: `gender` is ``"f"`` (she) or ``"m"`` (he)."""

    name: str
    gender: str
    chinese: str


class Place(NamedTuple):
    """A place: `preposition` says how one is there (``in the barn``)."""

    name: str
    preposition: str
    chinese: str
    localizer: str


class Thing(NamedTuple):
    """A kind of object: `is_fragile` things can break."""

    name: str
    is_fragile: bool
    chinese: str
    measure: str


class Village(NamedTuple):
    """The entities that stories may be about."""

    name: str
    people: tuple[Person, ...]
    places: tuple[Place, ...]
    things: tuple[Thing, ...]


COLOURS = {
    "red": "红色",
    "blue": "蓝色",
    "green": "绿色",
    "yellow": "黄色",
    "white": "白色",
    "black": "黑色",
    "brown": "棕色",
    "pink": "粉色",
}


def _people(women: str, men: str) -> tuple[Person, ...]:
    return tuple(
        Person(name, gender, chinese)
        for gender, table in (("f", women), ("m", men))
        for name, chinese in (entry.split(":") for entry in table.split())
    )


def _places(table: str) -> tuple[Place, ...]:
    """Read entries of the form ``preposition:noun:chinese:localizer``."""
    fields = (entry.split(":") for entry in table.split())
    return tuple(
        Place(noun, preposition, chinese, localizer)
        for preposition, noun, chinese, localizer in fields
    )


def _things(table: str) -> tuple[Thing, ...]:
    """Read entries of the form ``noun:chinese:measure``; ``!`` marks the fragile."""
    fields = (entry.split(":") for entry in table.split())
    return tuple(
        Thing(noun.rstrip("!"), noun.endswith("!"), chinese, measure)
        for noun, chinese, measure in fields
    )


HOME = Village(
    "home",
    _people(
        "Mia:米娅 Anna:安娜 Lily:莉莉 Emma:艾玛 Rosa:罗莎 Nora:诺拉 Zoe:佐伊 Ella:埃拉 "
        "Ruth:露丝 Clara:克拉拉 Alice:爱丽丝 Grace:格蕾丝 Lucy:露西 Iris:艾里斯 "
        "Vera:薇拉 Maya:玛雅 Jane:简妮 Kate:凯特 Sara:萨拉 Eva:伊娃 Dora:朵拉 "
        "Helen:海伦 Olga:奥尔加 Wendy:温迪",
        "Tom:汤姆 Ben:本杰 Jack:杰克 Sam:山姆 Leo:利奥 Max:麦斯 Hugo:雨果 Otto:奥托 "
        "Paul:保罗 Peter:彼得 Adam:亚当 Oscar:奥斯卡 Felix:菲利克斯 Henry:亨利 "
        "Ivan:伊万 Karl:卡尔 Luke:卢克 Mark:马克 Noah:诺亚 Oliver:奥利弗 Simon:西蒙 "
        "Theo:提奥 Victor:维克多 Walter:沃尔特",
    ),
    _places(
        "in:kitchen:厨房:里 in:barn:谷仓:里 in:garden:花园:里 in:school:学校:里 "
        "in:library:图书馆:里 in:church:教堂:里 in:bakery:面包店:里 in:forest:森林:里 "
        "in:cave:山洞:里 in:cellar:地窖:里 in:attic:阁楼:里 in:stable:马厩:里 "
        "in:shed:棚屋:里 in:tower:塔楼:里 in:hall:大厅:里 in:meadow:草地:上 "
        "in:valley:山谷:里 in:courtyard:院子:里 in:workshop:作坊:里 "
        "in:greenhouse:温室:里 on:bridge:桥:上 on:hill:小山:上 on:roof:屋顶:上 "
        "on:beach:沙滩:上 on:island:小岛:上 on:farm:农场:里 at:market:集市:上 "
        "at:station:车站:里 at:mill:磨坊:里 at:well:水井:旁 at:harbour:港口:里"
    ),
    _things(
        "lamp!:灯:盏 kite:风筝:只 ball:球:个 cup!:杯子:个 book:书:本 hat:帽子:顶 "
        "key:钥匙:把 rope:绳子:根 box!:盒子:个 drum!:鼓:面 bell!:铃铛:个 coat:大衣:件 "
        "scarf:围巾:条 basket:篮子:个 bucket:水桶:个 brush:刷子:把 candle!:蜡烛:根 "
        "chair!:椅子:把 clock!:时钟:个 coin:硬币:枚 comb!:梳子:把 doll!:娃娃:个 "
        "flute!:长笛:支 fork:叉子:把 glove:手套:只 hammer:锤子:把 jar!:罐子:个 "
        "knife:小刀:把 ladder!:梯子:架 letter:信:封 map:地图:张 mask!:面具:个 "
        "mirror!:镜子:面 needle:针:根 paddle!:船桨:支 pencil!:铅笔:支 pipe!:烟斗:支 "
        "plate!:盘子:个 pot:锅:口 purse:钱包:个 ring:戒指:枚 shell!:贝壳:个 "
        "shovel:铲子:把 spoon:勺子:把 stone:石头:块 sword:剑:把 teapot!:茶壶:个 "
        "ticket:车票:张 umbrella!:雨伞:把 vase!:花瓶:个 violin!:小提琴:把 "
        "whistle:哨子:个 wheel!:轮子:个"
    ),
)

AWAY = Village(
    "away",
    _people(
        "Yara:雅拉 Ingrid:英格丽 Petra:佩特拉 Salma:萨尔玛 Beth:贝丝 Chloe:克洛伊 "
        "Freya:弗蕾娅 Gina:吉娜 Hanna:汉娜 Tess:苔丝 Uma:乌玛 Ximena:希梅娜",
        "Boris:鲍里斯 Carlos:卡洛斯 Dylan:迪伦 Ethan:伊桑 Gustav:古斯塔夫 Jonas:乔纳斯 "
        "Kofi:科菲 Liam:利亚姆 Nico:尼科 Pablo:巴勃罗 Ravi:拉维 Yusuf:优素福",
    ),
    _places(
        "in:bedroom:卧室:里 in:castle:城堡:里 in:desert:沙漠:里 in:hospital:医院:里 "
        "in:orchard:果园:里 in:theatre:剧院:里 in:vineyard:葡萄园:里 in:canyon:峡谷:里 "
        "on:balcony:阳台:上 on:mountain:高山:上 on:platform:站台:上 on:raft:木筏:上 "
        "at:airport:机场:里 at:fountain:喷泉:旁 at:lighthouse:灯塔:里 "
        "at:crossing:路口:旁"
    ),
    _things(
        "apron:围裙:条 arrow!:箭:支 blanket:毯子:条 bottle!:瓶子:个 camera!:相机:台 "
        "carpet:地毯:块 crown!:王冠:顶 dress:裙子:条 fan!:扇子:把 feather:羽毛:根 "
        "guitar!:吉他:把 helmet:头盔:顶 jug!:水罐:个 kettle:热水壶:个 lantern!:灯笼:盏 "
        "magnet:磁铁:块 net:网:张 pillow:枕头:个 puppet!:木偶:个 radio!:收音机:台 "
        "sled!:雪橇:架 tent:帐篷:顶 trumpet!:小号:把 wallet:皮夹:个 yarn:毛线:团 "
        "bowl!:碗:个"
    ),
)

VILLAGES = {village.name: village for village in (HOME, AWAY)}
