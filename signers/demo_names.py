"""Invented names for the sample campaign's signers, in many scripts; any likeness is chance."""

# Groups of first names and last names that go together.
PEOPLE: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            "Abigail",
            "Barnaby",
            "Clementine",
            "Dorian",
            "Eudora",
            "Fergus",
            "Georgiana",
            "Horatio",
            "Imogen",
            "Jasper",
        ),
        (
            "Applewhite",
            "Bramblecombe",
            "Crowthistle",
            "Dunmallet",
            "Elderfern",
            "Fallowfield",
            "Gatherwood",
            "Hollinbrook",
        ),
    ),
    (
        (
            "Keziah",
            "Lysander",
            "Marigold",
            "Nathaniel",
            "Ottilie",
            "Percival",
            "Rosamund",
            "Silas",
            "Theodora",
            "Winifred",
        ),
        (
            "Inkpenny",
            "Jessamine-Rowe",
            "Larkspur",
            "Mosswater",
            "Nettleship",
            "O’Brannigan",
            "Pennyfeather",
            "Quillfeather",
        ),
    ),
    (
        ("Adaeze", "Babajide", "Chiamaka", "Ebuka", "Folasade", "Kwabena", "Ngozi", "Temitope"),
        ("Adewunmi-Cole", "Boatengwaa", "Ezeabasili", "Nwachukwuma", "Okonjalu", "Owusuah"),
    ),
    (
        ("Begoña", "Íñigo", "Jacinta", "Leandro", "María José", "Plácido", "Rocío", "Ximena"),
        (
            "Alcorisa Peñalba",
            "Bustamarín",
            "de la Vega Olmedilla",
            "Fuentesanta",
            "Montejaque",
            "Zurbarán Ríos",
        ),
    ),
    (
        ("Aurélie", "Benoît", "Clothilde", "Éloïse", "Gaëtan", "Maëlys", "Thibault"),
        ("Beaurivage", "de Clairefontaine", "Grandpré-Lasserre", "Lanterneau", "Petitbois", "Vauquelin"),
    ),
    (
        ("Anneliese", "Burkhard", "Friederike", "Jörg", "Käthe", "Lütje", "Wiebke"),
        ("Apfelbaumer", "Gänseblum", "Kranichfelder", "Möwenthal", "Schlüsselbusch", "Weißdorner"),
    ),
    (
        ("Aagje", "Douwe", "Fenna", "Hidde", "Lieke", "Sjoerd"),
        ("Appelboomgaard", "van den Boogertman", "ter Wiedekamp", "van ’t Hofveldt", "Zeilmakers-Bloem"),
    ),
    (
        ("Åse", "Bjørnar", "Eydís", "Guðlaug", "Linnéa", "Øystein", "Sölvi"),
        ("Bjørkelunden", "Fjällström", "Havørndal", "Íshólm", "Nordanvik", "Skärgårdh"),
    ),
    (
        ("Agnieszka", "Bożena", "Čeněk", "Dobrosława", "Łukasz", "Růžena", "Zdeňka", "Žofie"),
        ("Brzozowiecka", "Jeřábková", "Łabędziński", "Modrzejczyk", "Świerkowska", "Vlaštovička"),
    ),
    (
        ("Ayşegül", "Çağlar", "Gülizar", "İlkay", "Şebnem", "Ümit"),
        ("Çınarlıoğlu", "Gökçedağ", "Işıldar", "Kırlangıçlı", "Öztürkmenoğlu"),
    ),
    (
        ("Ánh Dương", "Bảo Châu", "Diễm My", "Gia Hân", "Khánh Vy", "Tuấn Kiệt"),
        ("Đặng", "Huỳnh", "Lê", "Nguyễn", "Phạm", "Vương"),
    ),
    (
        ("Алевтина", "Богдана", "Всеволод", "Зоряна", "Лукерья", "Мирослав", "Ярослава"),
        ("Березовець", "Журавлёва", "Калинченко", "Лебедянская", "Снегирёв", "Черемшина"),
    ),
    (
        ("Αριάδνη", "Ευφροσύνη", "Θεόφιλος", "Ιόλη", "Λεωνίδας", "Μυρσίνη"),
        ("Αμυγδαλίδης", "Γλαροπούλου", "Ελαιώνας", "Θαλασσινού", "Κυπαρισσάκης"),
    ),
    (
        ("أسيل", "بشرى", "جمانة", "رياض", "سلسبيل", "عمّار", "ليان", "نوار"),
        ("البستاني", "الزهراوي", "السنديان", "الغزالي", "القنديل", "الياسمين"),
    ),
    (
        ("אביגיל", "גלעד", "הדסה", "יאיר", "נחמה", "עפרה"),
        ("אלמוגי", "בן־שקד", "הררי־גפן", "רימונים", "שקמוני"),
    ),
    (
        ("آرزو", "بهرام", "پریسا", "کیومرث", "گلناز", "نیلوفر"),
        ("آسمانی‌فر", "بهارستانی", "چمن‌آرا", "سپیدارنژاد", "گل‌افشان"),
    ),
    (
        ("अनामिका", "ईशान", "कावेरी", "चित्रांगदा", "नीलकंठ", "शुभांगी"),
        ("आम्रपाली", "कदंबवाले", "चंदनपुरी", "दीपावलीकर", "मेघराज"),
    ),
    (
        ("গোধূলি", "তমালিকা", "নীহার", "মেঘমালা", "শুভ্র"),
        ("কদমতলী", "জলপাইগুড়ে", "বকুলিয়া", "শিউলিবাড়ি"),
    ),
    (
        ("இளவேனில்", "கயல்விழி", "தமிழ்ச்செல்வன்", "மலர்விழி"),
        ("ஆலமரத்தான்", "குறிஞ்சிநாதன்", "தாமரைக்குளம்"),
    ),
    (
        ("กมลชนก", "ธาราริน", "พิมพ์ดาว", "ศรัณย์"),
        ("จันทร์กระจ่างฟ้า", "ดอกไม้ทอง", "แสงอรุณรุ่ง"),
    ),
    (
        ("雨桐", "嘉禾", "明轩", "若溪", "思源", "子衿"),
        ("白", "柳", "欧阳", "司徒", "云", "竺"),
    ),
    (
        ("あかね", "杏樹", "櫂斗", "しずく", "千紘", "美波"),
        ("青葉台", "霧ヶ原", "小鳥遊", "月見里", "冬木"),
    ),
    (
        ("가온", "나래", "다솜", "라온", "아름", "하늘"),
        ("남궁", "독고", "선우", "제갈", "황보"),
    ),
    (
        ("ანანო", "გვანცა", "ლაშა", "თამთა"),
        ("არწივაძე", "მზექალაშვილი", "წიფლისძე"),
    ),
    (
        ("Անուշ", "Արփինե", "Նարեկ", "Շողիկ"),
        ("Արծվաբերդյան", "Նռնենյան", "Ծիրանյան"),
    ),
    (
        ("Kahurangi", "Mereana", "Tāwhiri", "Whetū"),
        ("Kōwhaitea", "Pōhutukawarā", "Rimutangi"),
    ),
)
