"""Character sets that pass for each other: what short texts are taken for."""

import pytest

from services.formats.decode import decode

CHINESE = "如果您有任何问题，请与我们联系。本公司保留所有权利。"
KOREAN = (
    "점검",
    "휴가 신청은 사흘 전에 한다.",
    "곽훈, 봉준, 탁윤, 묵현, 맹철, 팽길, 뇌건, 갈웅",
    "第一條 이 法은 國民의 生命과 財産을 保護한다.",
    "大韓民國憲法 悠久한 歷史와 傳統",
    "金李朴崔鄭姜趙尹張林 甲乙丙丁戊己庚辛",
    "똠방각하 펲시콜라 뷁",
    "㈜한빛 ※ 참고 ① 온도 25℃ ∼ 30℃",
)


@pytest.mark.parametrize("text", [CHINESE, "学习资料 中国人民", CHINESE * 50, "Please read.\n" + CHINESE])
def test_decode__reads_chinese_that_would_pass_for_korean(text: str) -> None:
    assert decode(text.encode("gb2312")) == text


@pytest.mark.parametrize("text", KOREAN)
def test_decode__never_takes_korean_for_chinese(text: str) -> None:
    assert decode(text.encode("cp949")) == text
    assert decode((text + "\nLine in English.\n").encode("cp949")) == text + "\nLine in English.\n"


def test_decode__leaves_two_letters_to_korean() -> None:
    assert decode("점검".encode("cp949")) == "점검"


@pytest.mark.parametrize("text", ["점검 번호는 N-2427이다.", "서기 1994년 봄, 첫 모임", "점검표 ㄱ. 계속 ㄴ. 완료"])
@pytest.mark.parametrize("encoding", ["cp949", "utf-16-le", "utf-16", "johab"])
def test_decode__reads_one_line_in_old_sets(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text
