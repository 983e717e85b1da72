"""What `services.text.language` promises."""

import re

import pytest

from services.text.language import Language, detect, reply_language

HANGUL, LATIN = re.compile("[가-힣]"), re.compile("[A-Za-z]")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안전밸브의 작동 압력은 설계 압력 이하로 한다.", "ko"),
        ("The set pressure of a safety valve.", "en"),
        ("KGS AC111에 따른 안전밸브의 작동 압력은 얼마인가요?", "ko"),
        ("The word 서당 names a village school of old Korea.", "en"),
        ("What does 안전밸브 mean?", "mixed"),
        ("1,234 / 56 %", "und"),
        ("", "und"),
        ("これは日本語の文章です", "und"),
        ("Été à Zürich", "en"),
    ],
)
def test_detect__goes_by_the_share_of_scripts(text: str, language: Language) -> None:
    assert detect(text) == language


ENGLISH_QUESTIONS = [
    "Who is 김철수?",
    "Who is 이하나?",
    "Kim Gu vs 안창호: who died first?",
    "In 2019, how many 국회의원 were elected?",
    "Name the author of 토지.",
    "Could you tell me what 전세 means?",
    "Who is 김정은?",
    "How do I install 한글 on Linux?",
    "What does 안전밸브 mean?",
    "What does “우리는 하나다” mean?",
    "What is 김치?",
    "What's 비빔밥 made of?",
    "Is 제주도 big?",
    "Is 경기도 larger than 강원도?",
    "When was 세종대왕 born?",
    "Who is 김철수's wife?",
    "Where can I buy 떡볶이 in Seoul?",
    "How do you say 왜 in English?",
    "How do you say 알려줘?",
    "Explain 정(情) in one sentence.",
    "Define 한.",
    "WHO IS 김철수?",
    "Which department does 박영희 work in?",
    "According to 김부식, who founded Goguryeo?",
    "biography of the first president 이승만",
    "Did 안중근 and 윤봉길 ever meet?",
    "Translate 감사합니다 into English.",
    "What is the difference between 은 and 는?",
    "Does 삼국사기 mention the flood?",
    "Can you summarize 난중일기?",
    "Tell me about 훈민정음 해례본",
    "How old was 이순신 when he died?",
    "the meaning of the word 서당",
    "What is 「산업안전보건법」 about?",
    "Please explain 근로기준법 제60조 to me",
    "In which year did 고종 become emperor?",
    "Why did 흥선대원군 close the country?",
]
KOREAN_QUESTIONS = [
    "SELECT FOR UPDATE SKIP LOCKED 뜻?",
    "PostgreSQL VACUUM 안됨",
    "GET /api/health 응답 코드는?",
    "The Boys는 2011년 10월 5일 발매되었는가?",
    "Once Upon A Time의 7번째 시즌이 마지막인가?",
    "See You Again은 폴 워커에 대한 추모곡이다.",
    "블레이크 셸턴이 〈Mine Would Be You〉를 작곡했나요?",
    "Sorry to Bother You가 비평가들에게 긍정적인 평가를 받았는가?",
    "What is love 뜻이 뭐야?",
    "What Would You Do의 작곡가는 누구인가?",
    '"What is this"는 무슨 뜻이야?',
    "how to use git 알려줘",
    "how to install Linux 방법",
    "Hymn for the Weekend 가수",
    "Lord of the Rings 작가",
    "When Harry Met Sally 감독",
    "How I Met Your Mother 결말",
    "JPA N+1 문제 해결법",
    "Redis TTL 설정 어떻게 함?",
    "if else 문 쓰는 법",
    "Ctrl+C 누르면 왜 종료됨",
    "The Bank of Korea 기준금리",
    "SHOW TABLES 결과가 비어 있음",
    "WHERE 절과 HAVING 절의 차이는?",
    "for문과 while문의 차이",
    "is not null 조건 쓰는 법?",
    "git rebase --onto 설명해줘",
    "HTTP 404 Not Found 원인",
    "Docker Compose depends_on healthcheck 설정",
    "ASUS Eee PC는 무엇입니까?",
    "SuperM의 멤버 중 4명은 NCT 멤버이다.",
    "ABC와 NBC는 같은 회사인가?",
    "Why 뜻?",
    "Alessandro Safina의 국적은 어디인가?",
    "KGS FP112 2.4.5 내용",
    "Error: could not connect to server 왜 나와요?",
    "This is a pen 해석",
    "파이썬 list comprehension",
    "TCP와 UDP 중 뭐가 더 빠른가",
    "OPIc(Oral Proficiency Interview-Computer)은 공인인증 영어 말하기 시험인가?",
    "CrashLoopBackOff 해결",
    "Can't connect to MySQL server 오류",
    "a와 an 차이",
    "in the middle of 뜻",
    "SELECT * FROM users WHERE id = 1 느림",
    "Kim Chul-soo가 누구야?",
    "React useEffect 두 번 실행됨",
]


@pytest.mark.parametrize("question", ["Set pressure?", "42?", "これは何ですか", *ENGLISH_QUESTIONS])
def test_reply_language__is_english_when_the_asking_is__whatever_the_names(question: str) -> None:
    assert reply_language(question) == "en"


@pytest.mark.parametrize("question", ["작동 압력은?", "서울", *KOREAN_QUESTIONS])
def test_reply_language__is_korean_when_the_asking_is__whatever_the_names(question: str) -> None:
    assert reply_language(question) == "ko"


def test_reply_language__has_a_table_of_fifty_questions_in_both_scripts() -> None:
    mixed = [each for each in (*ENGLISH_QUESTIONS, *KOREAN_QUESTIONS) if HANGUL.search(each) and LATIN.search(each)]
    assert len(set(mixed)) == len(ENGLISH_QUESTIONS) + len(KOREAN_QUESTIONS) >= 50


def test_reply_language__of_a_page_goes_by_its_script() -> None:
    page = "The word 서당 names a school. 그 밖의 사항은 이 장에서 정한다. " * 20
    assert detect(page) == "mixed"
    assert reply_language(page) == "ko"


@pytest.mark.parametrize("question", ["", "?", "...", "1,234", "'", "가'", "\u2019", "A" * 390 + "가", "가A" * 190])
def test_reply_language__takes_any_text(question: str) -> None:
    assert reply_language(question) in ("ko", "en")
