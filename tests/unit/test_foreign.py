"""What `services.text.foreign` promises: a language that nobody asked for is told, a quoted name is none."""

import pytest

from services.text.foreign import foreign, latin_language, question_is_in

JAPANESE = "行ロックは他のトランザクションを待たせます。"
FRENCH = "Le verrou est pris dans la table."


@pytest.mark.parametrize(
    ("text", "wanted", "language"),
    [
        (JAPANESE, "ko", "ja"),
        (JAPANESE, "en", "ja"),
        ("はい、そうです。", "ko", "ja"),
        ("이 값은 5이다. " + JAPANESE, "ko", "ja"),
        ("SELECT FOR UPDATE は行をロックします。", "ko", "ja"),
        ("是的，数据库会锁定行。", "en", "zh"),
        ("東京大学", "ko", "zh"),
        ("压力为1.2 MPa.", "en", "zh"),
        ("Да, это так.", "en", "ru"),
        ("Это значение 5 MPa.", "ko", "ru"),
        ("Είναι η Αθήνα.", "en", "el"),
        ("ใช่ครับ มันเป็น", "en", "th"),
        ("نعم، هذا صحيح.", "ko", "ar"),
        ("כן, זה נכון.", "ko", "he"),
        ("हाँ, यह सही है।", "en", "hi"),
        ("예, 가능합니다.", "en", "ko"),
        (FRENCH, "en", "fr"),
        ("La base de datos está en el servidor y no se puede leer.", "en", "es"),
        ("Die Datenbank ist nicht mit dem Server verbunden.", "en", "de"),
        ("Il valore è nella tabella del server.", "ko", "it"),
        ("O valor não está na tabela.", "en", "pt"),
        ("De waarde is niet in het bestand van de server.", "en", "nl"),
        ("Giá trị này là của bảng và không được khóa.", "en", "vi"),
    ],
)
def test_foreign__names_the_language_of_a_few_words(text: str, wanted: str, language: str) -> None:
    assert foreign(text, [], wanted) == language


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("행을 잠근다.", "ko"),
        ("The row is locked by the other transaction.", "en"),
        ("The set pressure is 1.2 MPa.", "ko"),
        ("α와 β의 차이는 αβ이다.", "ko"),
        ("김구(金九)는 독립운동가이다.", "ko"),
        ("이순신(李舜臣).", "ko"),
        ("It is 김구 (金九), a leader.", "en"),
        ("No.", "en"),
        ("42", "ko"),
        ("", "en"),
        ("El Niño, La Niña, Los Angeles, Las Vegas", "en"),
        ("Le Monde, La Poste, Les Halles", "en"),
        ("Ludwig van Beethoven, Charles de Gaulle, Leonardo da Vinci and Der Spiegel", "en"),
        ("The film Le Fabuleux Destin de la vie was shown in Paris.", "en"),
        ("He said: le roi est mort, and that was the end of it for them.", "en"),
        ("A die is cast on the table in an hour; me too.", "en"),
    ],
)
def test_foreign__leaves_alone_the_language_wanted__and_names(text: str, wanted: str) -> None:
    assert foreign(text, [], wanted) is None


@pytest.mark.parametrize(
    ("text", "passage", "wanted"),
    [
        ("Москва", "Столица: Москва.", "en"),
        ("東京大学", "창립: 東京大学, 1877년", "ko"),
        ("서울특별시 강남구", "주소는 서울특별시 역삼동 강남구이다.", "en"),
        (FRENCH, f"Note. {FRENCH}", "en"),
    ],
)
def test_foreign__passes_over_what_stands_in_a_passage(text: str, passage: str, wanted: str) -> None:
    assert foreign(text, [passage], wanted) is None
    assert foreign(text, ["다른 글이다."], wanted) is not None


@pytest.mark.parametrize(
    ("question", "language", "is_in"),
    [
        ("これは何ですか", "ja", True),
        ("东京在哪里", "ja", True),
        ("これは何ですか", "ru", False),
        ("Où est la gare ?", "fr", True),
        ("Where is the gare du nord?", "fr", False),
        ("Who is 산업안전보건법?", "ko", False),
        ("누구입니까", "ja", False),
    ],
)
def test_question_is_in__tells_a_question_in_the_same_language(question: str, language: str, is_in: bool) -> None:
    assert question_is_in(question, language) is is_in


def test_latin_language__needs_more_function_words_than_english_has() -> None:
    assert latin_language("Le verrou est pris dans la table") == "fr"
    assert latin_language("le est dans of the is") is None
    assert latin_language("le est") is None
