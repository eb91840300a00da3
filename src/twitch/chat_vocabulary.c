/* chat_vocabulary.c - the words, emotes, names and pastas of the generated chat. Nothing but data: chat_maker.c decides
 * who says what. */
#include "twitch/chat_vocabulary.h"

const char *const hb_vocabulary_words[HB_LANGUAGES] = {
    [HB_ENGLISH] =
        "the you is a to i it LUL that this in he and of KEKW lol what so he's on for me just have not was no "
        "chat we like be game my they do with are good get can his why but at if one go all u how now up your "
        "don't OMEGALUL yes gg play out time that's lmao when it's Pog i'm too we're still got bro W who "
        "think need stream go from there or see love nice man as monkaS more about hi know never L as well by "
        "has really would Sadge back did them here then EZ her she been want an Clap new make first yeah "
        "oh please right only again win say his dude PepeLaugh will ? big stop actually some look wait "
        "POGGERS better best over off going way hello thanks last better could gonna because much even "
        "team people guys ever always watch after where next catJAM day bad any wtf said tell "
        "great two mid down omg let's let thing come should before than hype these before try what's "
        "xdd ICANT those than can't true ok long rip start live life every into same "
        "boss run clip use PepeHands money world ads lost won kill chat's 5Head Madge Aware modCheck "
        "him clutch hard real free feel maybe something old another peepoHappy tonight music "
        "HUH song level map hit miss dead alive carry throw noob pro skill build item damage heal "
        "tank support jungle mid lane top bot ward gank push farm feed report afk lag ping fps drop loot rare "
        "epic quest dungeon raid party guild server queue rank elo climb smurf main alt patch buff nerf meta op "
        "broken bug glitch speedrun record split reset seed luck rng crit combo parry dodge block aim shot snipe "
        "headshot ace flick peek site plant defuse eco rush camp rotate flank smoke flash nade knife rifle pistol "
        "armor shield sword bow magic spell mana potion gold xp boss phase wipe pull adds kite stun root slow "
        "silence taunt dot hot cooldown ult ready nope yep okay sure fine cool awesome amazing insane crazy wild "
        "unreal legit literally honestly basically probably definitely exactly finally already almost together "
        "tomorrow yesterday morning night week month year friend brother sister mom dad dog cat food pizza coffee "
        "water beer work school sleep tired hungry happy sad angry scared funny weird strange cute pretty ugly "
        "smart dumb fast short tall small huge tiny cold warm early late wrong question answer problem idea reason "
        "story movie show video channel streamer viewer sub gift bits emote mod vip ban timeout unban follow "
        "discord twitter youtube twitch reddit internet pc setup keyboard mouse mic camera audio volume louder "
        "quiet screen graphics settings controller console update download install crash restart",
    [HB_SPANISH] = "jaja que de la no el es en jajaja un vamos me lo por hola si se te bien bueno mas gracias para "
                   "como está qué ya una los pero muy con hermano grande todo juego mañana ahora dale sí saludos "
                   "cuándo también partida amigo crack mejor nunca siempre otra vez así corazón campeón niño año",
    [HB_PORTUGUESE] = "que de o a não é kkkk eu e mano pra um vai do isso tá ele boa com só mais bom se vc na jogo "
                      "muito salve melhor agora vamo caraca tudo cara também você então amanhã irmão até aí já "
                      "obrigado coração live dia noite jogar ganhou perdeu chega parabéns",
    [HB_GERMAN] = "ich ist das die der und nicht ja du was es ein in mal auch so wie hat aber nur noch gut schon wir "
                  "mit für zu doch digga moin alter heute wieder können über schön jetzt warum spielst größer geil "
                  "danke bitte morgen abend müssen natürlich glück süß straße grüße hallo",
    [HB_FRENCH] = "le la de c'est pas je et mdr un que les il tu en est ça on a mais trop pour bien oui non quoi fait "
                  "salut bonjour merci déjà après très être même où jeu partie gros bravo voilà peut-être à ptdr "
                  "aujourd'hui encore toujours génial équipe français soirée",
    [HB_RUSSIAN] = "не это что а да как ты он на лол и в я всё так го нет там ну привет ахаха стрим чат когда почему "
                   "хорошо игра сегодня спасибо красава давай сколько топ просто опять жесть время друг победа "
                   "конечно очень круто блин удачи",
    [HB_KOREAN] = "ㅋㅋㅋㅋ ㅋㅋㅋㅋㅋㅋ ㄷㄷ 진짜 아니 와 ㅇㅈ 이거 왜 오늘 안녕하세요 나이스 ㅠㅠ 형 방송 게임 존잘 "
                  "뭐야 대박 그냥 지금 잘한다 감사합니다 화이팅 언제 너무 좋다 미쳤다 레전드 가자 귀여워 ㄱㄱ 형님 "
                  "시작 노래 밥 먹었어요",
    [HB_JAPANESE] = "草 www うまい かわいい ナイス おつ こんばんは それな すごい 888888 今日も配信ありがとう がんばれ "
                    "まじか きた やばい なるほど おはよう 初見です 待ってました これは強い ゲーム いいね "
                    "おめでとう たすかる もう一回 カッコいい 面白い 上手すぎる",
    [HB_CHINESE] = "哈哈哈 笑死 可以 主播好 666 真的 這個 太強了 什麼 好耶 開台了 不是 為什麼 加油 晚安 可愛 今天 "
                   "好玩 主播今天玩什麼遊戲 我覺得 沒有 厲害 確實 来了 牛逼 这波可以 没问题 谢谢 早安 台灣",
    [HB_THAI] = "555 5555 สวัสดีครับ เก่งมาก สุดยอด ครับ ค่ะ ไปเลย น่ารัก วันนี้เล่นเกมอะไร ขำมาก จริงๆ โหดมาก "
                "สู้ๆ มาแล้ว ดีมาก ไม่ได้ อีกแล้ว ขอบคุณครับ กินข้าวหรือยัง ฝันดี",
    [HB_ARABIC] = "ههههه السلام عليكم والله يا لا نعم كيف الحال حبيبي أسطورة شكرا مبروك اليوم لعبة ليش ما شاء الله "
                  "صباح الخير البث جميل أخي قوي جدا متى",
};

const char *const hb_vocabulary_emotes =
    "LUL 425618 Kappa 25 NotLikeThis 58765 PogChamp 305954156 BibleThump 86 ResidentSleeper 245 Kreygasm 41 4Head 354 "
    "WutFace 28087 Jebaited 114836 HeyGuys 30259 SeemsGood 64138 PJSalt 36 DansGame 33 SwiftRage 34 <3 9 FrankerZ 65 "
    "CoolStoryBob 123171 BabyRage 22639 SMOrc 52 MrDestructoid 28 KappaPride 55338 VoHiYo 81274 GivePLZ 112290 "
    "TakeNRG 112292 OhMyDog 81103 CoolCat 58127 TheIlluminati 145315 BloodTrail 69 EleGiggle 4339 FailFish 360 "
    "Keepo 1902 OpieOP 100590 YouWHY 4337 :) 1 :( 2 :D 3 B) 7 ;) 11 :P 12";

const char *const hb_vocabulary_channel_emotes = "Hype Love GG Sad Pog Lurk Wave Rage Cry Laugh Dance Heart";

const char *const hb_vocabulary_other_emotes =
    "KEKW OMEGALUL Pog monkaS Sadge EZ Clap PepeLaugh POGGERS catJAM xdd ICANT PepeHands 5Head Madge Aware modCheck "
    "peepoHappy HUH KKona PogU YEP HYPERS o7 NOOO POG W L";

/* clang-format measures emoji differently each time. */
/* clang-format off */
const char *const hb_vocabulary_emoji =
    "😂 ❤️ 🔥 😭 💀 👍 🙏 😍 👏 🎉 🤣 😎 💜 👀 😅 🥳 "
    "🫡 🤔 😱 🐐 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍💻 👋🏾 🇧🇷 🇩🇪 🇰🇷 🇯🇵 🤷‍♂️ ❤️‍🔥 🧑‍🚀 1️⃣ "
    "☕ 🕹️ 🐈‍⬛ ✌🏻 🏴󠁧󠁢󠁥󠁮󠁧󠁿";
/* clang-format on */

const char *const hb_vocabulary_commands = "!song !drops !discord !uptime !rank !lurk !so !gamble !points !followage "
                                           "!socials !watchtime !sens !today !commands !join !clip !hug !dice !prime";

const char *const hb_vocabulary_waves =
    "F W L GG POG LETSGO 1 2 KEKW ICANT NOOO KKona EZ o7 LUL ? +2 -2 monkaS PogU YEP Clap HYPERS Sadge HUH";

const char *const hb_vocabulary_links =
    "https://clips.twitch.tv/ https://www.youtube.com/watch?v= https://youtu.be/ www.reddit.com/r/LivestreamFail/ "
    "https://x.com/i/status/ http://discord.gg/ https://en.wikipedia.org/wiki/ HTTPS://www.Twitch.tv/videos/ "
    "https://imgur.com/a/ https://müller.example/straße/";

const char *const hb_vocabulary_syllables =
    "ka ro mi zen tor bel qua shi von dra pex lun gri fa yo nim sta que vel oz ti "
    "bru han cle wex pol dar sun ju mek fli ran tho gu ez lar pi cho wid sno";

const char *const hb_vocabulary_first =
    "night pixel shadow lucky dark turbo frost iron silent crazy tiny mega hyper salty sleepy neon cyber ghost royal "
    "wild toxic happy angry golden silver rusty fuzzy grim holy jolly lazy mad noble odd prime quick rapid savage true "
    "ultra vivid witty young zen arctic blaze cosmic desert echo fire gamer hidden icy jade karma lunar magic nova "
    "ocean pepe quiet retro storm vapor";

const char *const hb_vocabulary_second =
    "owl fox cat wolf bear hawk goat duck frog toad moose otter panda tiger lion shark whale squid crab snake dragon "
    "knight wizard rogue monk bard archer hunter ranger pirate ninja samurai viking gamer player master lord king "
    "queen "
    "prince baron duke chief boss kid boy girl dude man guy dad mom bro sis bot droid mech byte bit node chip core "
    "disk "
    "flux gear hub jet key link mesh orb pod rig spark tank unit volt wave zone apple bagel bacon cookie donut noodle "
    "pickle pizza taco toast waffle potato banana mango peach lemon pepper onion pretzel cake bean rock stone cliff "
    "river cloud rain snow wind star moon sun sky void rift blade arrow hammer spear shield helm boot glove ring "
    "amulet "
    "scroll potion torch ember";

const char *const hb_vocabulary_endings = "tv live gg plays _tv ttv games _";

const char *const hb_vocabulary_names = "하늘 바다 토끼 고양이 민수 지훈 さくら ねこ たろう 雪 蓮 ゲーマー 小明 貓咪 "
                                        "阿龍 大師 星空 夜貓 Саша Волк Кот Мастер "
                                        "Дима Игрок น้อง แมว ส้ม บอย نجم ملك صقر أحمد";

const char *const hb_vocabulary_colors =
    "#FF0000 #0000FF #008000 #B22222 #FF7F50 #9ACD32 #FF4500 #2E8B57 #DAA520 #D2691E "
    "#5F9EA0 #1E90FF #FF69B4 #8A2BE2 #00FF7F";

const char *const hb_vocabulary_games =
    "Just_Chatting League_of_Legends Grand_Theft_Auto_V VALORANT Counter-Strike Minecraft Dota_2 Fortnite "
    "World_of_Warcraft Pokémon_Scarlet/Violet Chess Slots Music EA_Sports_FC_26 Path_of_Exile_2 Dead_by_Daylight";

static const char *const pastas[] = {
    "This chat is moving so fast that nobody will notice that I wrote this with my left hand while eating soup",
    ("I'm glad everyone enjoys the stream, but could we please talk about how the timer in the corner has been wrong "
     "for the last 40 minutes? Kappa Kappa Kappa"),
    "⠀⠀⠀⣠⣾⣿⣿⣷⣄⠀⠀ ⠀⠀⣾⣿⣿⣿⣿⣿⣿⣷⠀ ⠀⢰⣿⣿⡟⠛⠛⢻⣿⣿⡆ ⠀⠘⣿⣿⣷⣤⣤⣾⣿⣿⠃ ⠀⠀⠈⠻⣿⣿⣿⣿⠟⠁",
    "ヽ༼ຈل͜ຈ༽ﾉ RAISE YOUR CONTROLLERS ヽ༼ຈل͜ຈ༽ﾉ",
    ("Dear streamer, I am writing on behalf of the whole back row. We cannot see the map. We have never seen the map. "
     "Some of us were born here and only know the map from the stories that our grandparents tell. Please move the "
     "camera. Sincerely, the back row NotLikeThis"),
    "PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp PogChamp",
    "no way he missed that no way he missed that no way he missed that no way he missed that no way he missed that",
    "(╯°□°)╯︵ ┻━┻ FLIP THIS CHAT ┻━┻ ︵ ヽ(°□°ヽ)",
    "My doctor said I may watch one boss fight a day. This is the ninth. Doctor, if you read this: LUL",
    NULL,
};

const char *const *const hb_vocabulary_pastas = pastas;

hb_bytes *hb_vocabulary_split(const char *list, size_t *count)
{
    hb_bytes *entries = NULL;
    size_t capacity = 0;
    hb_bytes rest = hb_bytes_of(list);
    *count = 0;
    for (hb_bytes entry; hb_bytes_cut(&rest, ' ', &entry);) {
        HB_RESERVE(entries, capacity, *count + 1);
        entries[(*count)++] = entry;
    }
    return entries;
}
