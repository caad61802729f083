"""What a passage says is left alone, in any words; what it does not say is marked: numbers, dates, names, negation, cause and effect.

The pairs in support_pairs.toml were written by people who had not seen the rules; docs/knowledge.md has the figures.
"""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from knowledge.quantities import plain, quantities
from knowledge.support import support

PAIRS = tomllib.loads(Path(__file__).with_name("support_pairs.toml").read_text("utf-8"))["pairs"]
WRONG_VALUE, WRONG_WORDS = ("number", "date", "name"), ("unit", "negation", "cause")

LEAVE = (
    "재택근무는 주 2회까지 가능하며, 하루 전까지 팀장에게 알려야 합니다. 수습 기간에는 재택근무를 할 수 없습니다. "
    "장비는 IT지원팀이 대여하고, 수리는 시설팀이 맡습니다. 장비 대여 기한은 3월 31일이며 보증금은 3만 원입니다."
)
SHOP = (
    "가게는 오전 8시에 열고 주말에는 닫습니다. 라떼는 2,200원, 아메리카노는 1,500원입니다. 줄이 길기 때문에 앱으로 주문하는 것이 좋습니다. "
    "한 달 손님 1,200명 가운데 300명은 단골입니다. 오정훈 책임이 청소를, 유다인 선임이 재고를 맡는다. 만족도는 '봄'이 4.4점으로 가장 높았고 '가을'이 4.1점이다. "
    "교육을 마친 사람만 기계를 쓴다. 탈퇴하면 자료는 30일 뒤에 지워진다."
)
DESK = (
    "Refunds are paid within ten days. The Lyon store handles returns by post, while the Geneva store accepts them in person. "
    "Employees are insured on the way to work. Freelancers are not insured. The press stopped because its belt had worn through; the room was hot by then. "
    "Half of the 120 guests came by train. Only members may enter the studio."
)
HOUSE = (
    "창고에 들어갈 때는 신분증을 보여야 한다. 쓰지 않은 포인트는 그해 12월 31일에 소멸하며, 포인트로 책을 살 수 있다. 휴게실은 오후 4시부터 5시 30분까지 연다. "
    "응답자는 스무 명이었고 그중 열네 명이 새 화면을 선호했다. 베이직 월 9,900원(저장 공간 50GB), 플러스 월 1만 9,900원(200GB)."
)
PLANT = (
    "The outage began at 09:40 and lasted 75 minutes. The alerts went to a mailbox that nobody reads. Persons under 16 may not drive the lift. "
    "Only the foreman may start the press. A pack that was dropped rests for 48 hours. 1,215 parts were made, in May 1,525. "
    "Support by phone is included in Scale alone; Basic has chat. Repairs up to 100 euros are paid by the tenant. 80 percent of the lamps are replaced. "
)
CLINIC = (
    "접수는 최윤서 대리가 맡는다. 귀중품은 맡지 않습니다. 토요일에는 접수하지 않는다. 위치 권한을 거부해도 지도를 볼 수 있다. 영수증이 없으면 돈을 돌려받을 수 없다. "
    "하반기에는 부산에 두 번째 지점을 열 계획이다. 어른 12명과 어린이 8명이 왔다."
)
RULES = (
    "Our warranty covers two years. Damage caused by water is excluded, and so are batteries after six months. "
    "A loan device is lent free of charge. Send the device without accessories. Visitors leave by 20:00, except parents of small children. No samples were taken because the laboratory had closed."
)
OPENING = "전시실은 화요일부터 일요일까지 열고 월요일에는 쉰다. 단수는 4월 9일 밤 11시부터 이튿날 새벽 5시까지 이어진다. 디스크가 가득 차면서 로그인이 되지 않았다."
DEPLOY = (
    "Deploy only after the smoke tests have passed. If the error rate rises above 2%, roll back first and then open an incident. "
    "Never open the log file before the writer has stopped. Release 4.1: exports hold up to 9,000 rows, compared with 3,000 before."
)
ENTRY = (
    "서버실에 들어가기 전에 출입 신청서를 제출해야 합니다. 승인이 나면 보안팀이 카드를 발급합니다. 작업이 끝나면 카드를 반납하고 일지를 작성합니다. "
    "카드는 2주간 쓸 수 있고 한 번, 1주 연장할 수 있습니다. 복도는 배관 누수 때문에 목요일까지 닫습니다. 옥상은 도색 작업으로 하루 닫습니다."
)
FLOOD = "보고서 검토 후 예산을 배정합니다. 폭우 때문에 지하 주차장이 침수되었고, 그 결과 엘리베이터 운행이 멈췄습니다. 먼저 물을 빼고 점검을 합니다. 점검에서 이상이 없으면 운행을 재개합니다."
LIMITS = (
    "출장은 5일 전까지 신청합니다. 국내 일비는 3만 원이고 그 밖에는 60달러입니다. 열 명이 넘는 모임은 별실만 예약할 수 있습니다. "
    "보증 기간은 구입일부터 2년이며 배터리는 6개월입니다. 물에 젖어 생긴 고장은 보증하지 않습니다. 일주일 동안 문제가 없으면 점검을 거쳐 전체 공개로 넘어갑니다. 서버는 요청을 분당 20회 보냅니다. "
    "창고는 오후 1시부터 5시까지 지킵니다. 회의는 오후 3시에 합니다. 견습 중에는 급여의 80%를 받습니다."
)
FARES = (
    "The crossing costs 14 dollars for adults and 6 dollars for children. The kit holds four sensors and eight straps. "
    "Walkers arrive twenty minutes before a tour. Do not smoke for two hours beforehand. TLS 1.0 ends in staging on 3 February and in production on 3 March."
)
CROWD = (
    "Drafts are read on Friday and due one day before. The stall opened at 13:05 and sold out by 14:32, 40 minutes before the last train. "
    "Of 600 visitors, 190 came by bicycle; the year before there were 400 visitors. The first 16 weeks are paid in full, the following 8 weeks at half pay. "
    "Both pumps were replaced. The third-floor lift stops on 1 July. Contracts below £20,000 are signed by a clerk. Contracts of £20,000 or more need a director."
)
CLUB = (
    "1년분을 한꺼번에 내면 두 달분을 빼 준다. 한 사람당 표는 한 장으로 제한한다. 회비는 20만 원에서 25만 원으로 올랐다. 서버는 이중화되어 한쪽이 멈춰도 돌아간다. "
    "문은 밤 9시에 닫고 입장은 30분 전까지 받는다. 행사는 6월 30일까지 한다. 회원 한도는 80명이다."
)
STAFF = (
    "The Basel office handles accounting for the group, while the Trieste office deals with customs paperwork. Orion plans include help by phone. "
    "Customers on the Vega plan are helped by email only."
)
DUTIES = "하은 님은 견적서를 두 곳에서 받기로 했다. 도윤 님은 창고 배치도를 새로 그린다. 세탁은 나래관에서, 독서는 가온관에서 한다. 소아과는 본관 3층, 정형외과는 별관 2층에서 진료한다."
FIELDS = (
    "Southwick Fair also holds an annual festival of arts. The 2009 event will be in the Foster hall of arts in September. In late August there is a design festival. "
    "Tully Airport connects directly with Delhi and Agra. It has been upgraded as an International airport. National Road 39 links Delhi with the railway stations."
)
WAYS = "The deposit cannot be paid in instalments. All helpers need a check before they start. Seven of every 100 loaves are thrown away. Freelancers are not insured."
MEANS = (
    "와이파이 이름은 'corp-5G'이며 비밀번호는 달마다 바꾼다. 손님은 'guest'를 쓴다. 재고는 하루 여덟 번 센다. 1주일이 지나기 전에는 값의 절반을 돌려준다. "
    "전화를 바꾸면 등록이 옮겨지지 않으므로 데스크에 초기화를 요청해야 한다. 케이블은 보증에 들지 않는다."
)
HALLS = (
    "숙박비는 서울 15만 원, 부산 11만 원까지 지원한다. 중급반은 주 3회, 초급반은 주 2회 수업한다. 소식지 구독자는 1월 870명, 2월 960명이었다. "
    "4라인은 불량률이 3월 2.6%이다. 노즐은 하루마다 닦는다."
)
NIGHT = (
    "The nightly job starts at 01:30 and takes about 40 minutes. Because the export locks the table, reports cannot be generated "
    "while it runs. Omar restarts it by hand; Priya reviews the log every Monday. Errors are kept for 14 days."
)


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("수습 중에는 재택근무가 안 돼요.", LEAVE),
        ("보증금은 30,000원이고 3월 말일까지 빌릴 수 있어요.", LEAVE),
        ("재택은 일주일에 두 번까지예요.", LEAVE),
        ("고장 난 장비는 시설팀이 고쳐요.", LEAVE),
        ("The job begins at 1:30 a.m.", NIGHT),
        ("No reports while the export runs: it locks the table.", NIGHT),
        ("Error logs stay for two weeks.", NIGHT),
        ("Each Monday Priya goes through the log.", NIGHT),
        ("라떼가 아메리카노보다 700원 비싸다.", SHOP),
        ("손님의 4분의 1이 단골이에요.", SHOP),
        ("토요일과 일요일에는 쉬어요.", SHOP),
        ("줄이 길어서 앱으로 주문하는 편이 낫다.", SHOP),
        ("Sixty guests took the train.", DESK),
        ("자료는 탈퇴 한 달 뒤 삭제된다.", SHOP),
        ("Buzz 60USD [For Hire].", "Buzz 60USD [For Hire]. Others are not."),
        ("The press stopped because its belt had worn through; the room was hot by then.", DESK),
        ("수습 기간이 끝나야 재택근무가 가능합니다.", LEAVE),
        ("수습사원은 사무실로 나와야지 재택근무는 못 합니다.", LEAVE),
        ("신분증 없이는 창고에 들어가지 못한다.", HOUSE),
        ("쓰지 않으면 포인트는 그해 12월 31일에 소멸한다.", HOUSE),
        ("포인트는 12월 31일에 소멸한다.", HOUSE),
        ("휴게실은 한 시간 반 동안 문을 연다.", HOUSE),
        ("응답한 사람의 70%가 새 화면을 골랐다.", HOUSE),
        ("여섯 명은 새 화면을 고르지 않았다.", HOUSE),
        ("플러스 요금제는 월 1만 9,900원이고 저장 공간은 200GB이다.", HOUSE),
        ("An unread alert is why the outage went unnoticed.", PLANT),
        ("You have to be at least sixteen to drive the lift.", PLANT),
        ("Nobody but the foreman may start the press.", PLANT),
        ("A dropped pack rests for two days.", PLANT),
        ("The outage was over at 10:55.", PLANT),
        ("About 1,200 parts were made, 310 fewer than in May.", PLANT),
        ("Customers on Basic get no support by phone.", PLANT),
        ("A repair for 70 euros is paid by the tenant.", PLANT),
        ("One in five lamps is not replaced.", PLANT),
        ("Batteries are covered for half a year.", RULES),
        ("Keep the charger and the cable at home when you send in the device.", RULES),
        ("Parents of small children do not have to leave at eight in the evening.", RULES),
        ("The laboratory was closed, so nobody took samples.", RULES),
        ("월요일에는 전시실 문이 닫혀 있어요.", OPENING),
        ("4월 10일 새벽 5시에 다시 물이 나옵니다.", OPENING),
        ("WakeOnLan is off and IdleLimit is 00:01:00.", "WakeOnLan is off. IdleLimit is 00:01:00. CancelTimeout is 00:04:00."),
        (
            "Take a photo of broken goods and report it within 72 hours.",
            "Parcels under 2 kg go by post. Delivery within the country takes two days. Damaged goods must be reported with a photo within three days.",
        ),
        ("돈을 돌려받으려면 영수증이 있어야 한다.", CLINIC),
        ("모두 스무 명이 왔다.", CLINIC),
        ("You may not deploy before the smoke tests have passed.", DEPLOY),
        ("Smoke tests must pass before you deploy.", DEPLOY),
        ("Do not deploy until the smoke tests have passed.", DEPLOY),
        ("An incident is opened after the rollback.", DEPLOY),
        ("Open the log file once the writer has stopped.", DEPLOY),
        ("Since 4.1, an export can hold three times as many rows.", DEPLOY),
        ("이틀 뒤에 떠나는 출장은 신청할 수 없어요.", LIMITS),
        ("국내에서는 하루 3만 원이 나옵니다.", LIMITS),
        ("12명이 모이려면 별실을 잡아야 합니다.", LIMITS),
        ("1년 된 배터리는 보증을 받을 수 없습니다.", LIMITS),
        ("7일간 아무 문제가 없어야 전체 공개로 넘어갑니다.", LIMITS),
        ("오후 2시에는 창고를 지킵니다.", LIMITS),
        ("밤 11시에는 창고를 지키지 않습니다.", LIMITS),
        ("견습 중에는 급여가 20% 적습니다.", LIMITS),
        ("Don't open the log file until the writer has stopped.", DEPLOY),
        ("출입 신청서를 제출하기 전에는 서버실에 들어갈 수 없습니다.", ENTRY),
        ("봉사료를 빼고 음료가 포함된 값입니다.", "메뉴의 값은 봉사료를 제외한 금액입니다. 음료는 포함되어 있습니다."),
        ("Apart from parking the fee includes everything.", "This fee includes everything but excludes parking."),
        ("The fee includes lunch, but you pay for parking.", "This fee includes lunch but excludes parking. Tea is free."),
        ("The studio is shut at weekends.", "The studio is open on weekdays."),
        ("A claim that is four months old will not be paid.", "Claims older than 90 days are not paid."),
        ("출입 신청서를 낸 뒤에 서버실에 들어갈 수 있습니다.", ENTRY),
        ("승인 전에는 카드를 발급하지 않습니다.", ENTRY),
        ("일지는 작업을 끝낸 다음 작성합니다.", ENTRY),
        ("카드는 길게는 3주까지 쓸 수 있습니다.", ENTRY),
        ("엘리베이터가 멈춘 것은 지하 주차장이 침수되었기 때문입니다.", FLOOD),
        ("보고서를 검토하고 나서 예산을 배정합니다.", FLOOD),
        ("점검에서 이상이 없어야 운행을 다시 시작합니다.", FLOOD),
        ("Hand in your draft on Thursday.", CROWD),
        ("The stall opened at five past one.", CROWD),
        ("That leaves 410 visitors without a bicycle.", CROWD),
        ("서버는 한 번도 멈추지 않는다.", "서버는 멈추지 않는다. 전원은 두 번 나갔다."),
        ("고장이 작년 두 건에서 올해 0건으로 줄었다.", "올해는 고장이 나지 않았다. 작년에는 고장이 두 건 났다."),
        (
            "Southwick Fair also holds an annual festival of arts, and the 2009 event will be in the Foster hall of arts in September.",
            FIELDS,
        ),
        ("Tully Airport connects directly with Delhi, and it has been upgraded as an International airport.", FIELDS),
        ("2. 재고는 하루에 한 번도 아니고 여덟 번 센다.", MEANS),
        ("네, 와이파이는 'corp-5G'이고 비밀번호는 달마다 바뀐다.", MEANS),
        ("1주일이 지나기 전이면 값의 절반을 돌려받는다.", MEANS),
        ("전화를 바꿨다면 데스크에 초기화를 요청해야 한다.", MEANS),
        ("Seven out of 100 loaves are thrown away.", WAYS),
        ("It was sold out in just under an hour and a half.", CROWD),
        ("The last train left at 15:12.", CROWD),
        ("Nearly a third of the visitors came by bicycle.", CROWD),
        ("The number of visitors rose by half.", CROWD),
        ("All told, 24 weeks are paid.", CROWD),
        ("The two pumps were replaced.", CROWD),
        ("The lift of the third floor is out of use past the end of June.", CROWD),
        ("A contract for £25,000 is not signed by a clerk alone.", CROWD),
        ("1년 치를 한꺼번에 내면 열 달 치만 내는 셈이다.", CLUB),
        ("한 사람이 표 두 장을 가질 수는 없다.", CLUB),
        ("회비가 25% 올랐다.", CLUB),
        ("회비가 4분의 1만큼 올랐다.", CLUB),
        ("서버 두 대는 하나가 멈춰도 돌아간다.", CLUB),
        ("저녁 8시 반이 지나면 입장할 수 없다.", CLUB),
        ("행사는 7월 1일 전날까지 한다.", CLUB),
        ("More than half of the visitors of the second year had come in the year before.", CROWD),
        ("Nine out of ten lamps work.", "Of 200 lamps 180 work."),
        ("The Trieste office handles the customs paperwork of the group.", STAFF),
        ("견적서는 하은 님이, 배치도는 도윤 님이 맡는다.", DUTIES),
        ("Nobody may smoke for two hours before a tour.", FARES),
        ("부산에서는 11만 원까지, 서울에서는 15만 원까지 숙박비가 나온다.", HALLS),
        ("4라인은 매일 닦아서 3월에 불량률이 2.6%였다.", HALLS),
        (
            "Roll back first if the error rate rises above 2%.",
            "If the error rate rises above 2%, roll back before doing anything else. Check the dashboard of the deploy. Do not restart.",
        ),
        (
            "The hall was not dirty when we left.",
            "We left. The hall, which nobody had cleaned before, was not dirty. Some chairs were dirty.",
        ),
        ("개봉하지 않은 상품은 환불된다.", "개봉한 상품은 환불되지 않는다. 쿠폰은 남는다."),
        (
            "안내에 따르면 도서관은 4월 9일 밤 11시부터 이튿날 새벽 5시까지 닫는다.",
            "4월 9일 밤 11시부터 이튿날 새벽 5시까지 도서관은 닫는다. 4월 9일 밤 9시에 문을 연다.",
        ),
        (
            "성은 1794년에 착공해 1796년에 완공되었고, 1997년에 세계유산으로 등재되었다.",
            "성은 조선 정조 때인 1794년에 착공해 1796년에 완공된 성곽이다. 공사에는 거중기가 쓰였다. 1997년 세계유산으로 등재되었다.",
        ),
    ],
)
def test_the_same_in_other_words_is_supported(sentence: str, passage: str):
    assert support(sentence, [passage]).why == ""


@pytest.mark.parametrize(
    ("sentence", "passage", "why"),
    [
        ("보증금은 5만 원입니다.", LEAVE, "number"),
        ("보증금은 3만 달러입니다.", LEAVE, "unit"),
        ("장비는 3월 21일까지 빌릴 수 있어요.", LEAVE, "date"),
        ("장비는 시설팀이 대여합니다.", LEAVE, "name"),
        ("장비는 총무팀이 대여합니다.", LEAVE, "name"),
        ("수습 기간에도 재택근무를 할 수 있습니다.", LEAVE, "negation"),
        ("재택근무는 월 2회까지 가능합니다.", LEAVE, "opposite"),
        ("The nightly job takes about 50 minutes.", NIGHT, "number"),
        ("The nightly job takes about 40 hours.", NIGHT, "unit"),
        ("The nightly job starts at 02:30.", NIGHT, "date"),
        ("Omar reviews the log every Monday.", NIGHT, "name"),
        ("Dana reviews the log every Monday.", NIGHT, "name"),
        ("Reports can be generated while the export runs.", NIGHT, "negation"),
        ("The export locks the table because reports cannot be generated.", NIGHT, "cause"),
        ("유다인 선임이 청소를 맡는다.", SHOP, "name"),
        ("가장 만족도가 높은 것은 '가을'이다.", SHOP, "name"),
        ("앱으로 주문하기 때문에 줄이 길다.", SHOP, "cause"),
        ("누구나 기계를 쓴다.", SHOP, "opposite"),
        ("손님의 절반이 단골이다.", SHOP, "number"),
        ("Anyone may enter the studio.", DESK, "opposite"),
        ("접수는 최윤아 대리가 맡는다.", CLINIC, "name"),
        ("하반기에는 대구에 두 번째 지점을 연다.", CLINIC, "name"),
        ("귀중품도 맡습니다.", CLINIC, "negation"),
        ("토요일에도 접수한다.", CLINIC, "negation"),
        ("위치 권한을 거부하면 지도를 볼 수 없다.", CLINIC, "negation"),
        ("로그인이 되지 않았기 때문에 디스크가 가득 찼다.", OPENING, "cause"),
        ("A repair for 120 euros is paid by the tenant.", PLANT, "number"),
        ("Repairs from 100 euros are paid by the tenant.", PLANT, "opposite"),
        ("The Lyon store accepts returns in person, the Geneva store by post.", DESK, "name"),
        ("Freelancers are insured on the way to work.", DESK, "negation"),
        ("The press stopped because the room was hot.", DESK, "cause"),
        ("서버는 요청을 초당 20회 보냅니다.", LIMITS, "opposite"),
        ("회의는 오후 4시에 합니다.", LIMITS, "date"),
        ("창고는 오후 2시부터 지킵니다.", LIMITS, "date"),
        ("You may open the log file before the writer has stopped.", DEPLOY, "cause"),
        ("The fee covers parking, too.", "This fee includes lunch but excludes parking. Tea is free.", "negation"),
        ("출장은 3일 전까지 신청합니다.", LIMITS, "number"),
        ("The studio is shut on weekdays.", "The studio is open on weekdays.", "opposite"),
        ("Open an incident first and then roll back.", DEPLOY, "cause"),
        ("The smoke tests pass after the deploy.", DEPLOY, "cause"),
        ("서버실에 들어간 뒤에 출입 신청서를 제출합니다.", ENTRY, "cause"),
        ("보안팀이 카드를 발급하면 승인이 납니다.", ENTRY, "cause"),
        ("카드를 반납한 뒤 작업을 끝냅니다.", ENTRY, "cause"),
        ("복도는 도색 작업 때문에 목요일까지 닫습니다.", ENTRY, "cause"),
        ("예산을 배정한 뒤 보고서를 검토합니다.", FLOOD, "cause"),
        ("운행을 재개한 다음에 물을 빼고 점검을 합니다.", FLOOD, "cause"),
        ("Members get 70% off.", "Members get 30% off. Guests pay in full.", "number"),
        ("60% were not admitted.", "40% were not admitted. The others came on Friday.", "number"),
        ("회원은 80% 할인을 받는다.", "회원은 20% 할인을 받는다. 손님은 제값을 낸다.", "number"),
        ("Parking costs 20 euros a day.", "Meals are paid up to 100 euros. Parking costs 12 euros a day.", "number"),
        ("You cannot train at 10:00.", "You can train from 6:00 to 21:00. Bring a towel.", "date"),
        ("저녁 8시에도 접수할 수 있다.", "접수는 9시부터 6시까지 할 수 있다. 점심에는 쉰다.", "date"),
        ("The hall is open for 24 hours.", "The hall is open from 9:00 to 21:00. Dogs stay outside.", "number"),
        ("The outage was over at 22:55.", PLANT, "date"),
        ("No more than 10 days may be carried over.", "There are 15 days of leave; 5 may be carried over.", "number"),
        ("More than 100 guests came.", "97 guests came. Dinner was at eight.", "number"),
        ("거의 100명이 왔다.", "103명이 왔다. 저녁은 여덟 시였다.", "number"),
        ("Hand in your draft on Wednesday.", CROWD, "date"),
        ("You can pay the deposit in instalments.", WAYS, "negation"),
        ("Freelancers are insured for 12 months.", WAYS.replace("Seven", "In 12 months seven"), "negation"),
        ("Nearly four fifths of the visitors came by bicycle.", CROWD, "number"),
        ("All told, 22 weeks are paid.", CROWD, "number"),
        ("The five pumps were replaced.", CROWD, "number"),
        ("A contract for £25,000 is signed by a clerk.", CROWD, "number"),
        ("회비가 35% 올랐다.", CLUB, "number"),
        ("문은 밤 8시에 닫는다.", CLUB, "date"),
        ("회원은 90명까지 받는다.", CLUB, "number"),
        ("The Basel office handles customs paperwork.", STAFF, "name"),
        ("Customers on the Vega plan are helped by phone.", STAFF, "name"),
        ("창고 배치도를 새로 그리는 일은 하은 님이 맡았다.", DUTIES, "name"),
        ("정형외과 진료는 본관 3층에서 받는다.", DUTIES, "name"),
        ("Children cross for 14 dollars.", FARES, "number"),
        ("There are eight sensors in the kit.", FARES, "number"),
        ("From 3 February production is without TLS 1.0.", FARES, "date"),
        ("서울 숙박비는 11만 원까지 지원한다.", HALLS, "number"),
        ("중급반 수업은 일주일에 두 번 있다.", HALLS, "number"),
        ("2월에 구독자는 870명이었다.", HALLS, "number"),
        ("The cafeteria serves fresh vegetarian dumplings for breakfast every single morning.", NIGHT, "words"),
        ("The fee rises by 2 dollars.", "Both pumps were replaced. The fee rises by 5 dollars.", "number"),
        ("If a pump fails, call the storage team at once.", "If a pump fails, call the network team at once. Write down the time.", "name"),
        ("안내문에 따르면 봄 소풍은 5월에 속초에서 열린다.", "봄 소풍은 5월에 강릉에서 열린다. 버스는 여덟 시에 떠난다.", "name"),
        (
            "규칙을 바꾸려면 데이터팀에 요청서를 내셔야 한다고 되어 있어요.",
            "규칙을 바꾸려면 요청서를 인프라팀에 낸다. 이틀이 걸린다.",
            "name",
        ),
        (
            "개봉한 이어폰이라도 마음이 바뀌었다면 환불을 받으실 수 있어요.",
            "반품은 이레 안에 신청한다. 다만 이어폰은 개봉한 경우 마음이 바뀌어도 환불되지 않는다.",
            "negation",
        ),
        ("상어는 덩치가 커서 사람에게 위험한 물고기이다.", "상어는 가장 큰 물고기이다. 큰 덩치에도 사람에게는 위험하지 않다.", "negation"),
        ("The old importer is no longer supported.", "The old importer remains supported. A new one comes in May.", "negation"),
        (
            "Pens may be used in Part A of the test.",
            "Pens may not be used in Part A of the test, but they may be used in Part B.",
            "negation",
        ),
        (
            "The plant's own safety handbook says that children may ride the lift.",
            "Children may not ride the lift. Ask the porter.",
            "negation",
        ),
        (
            "안전 수칙과 비상 연락망 안내문에 따르면 아이와 승강기를 타도 된다.",
            "아이와 승강기를 타면 안 된다. 경비에게 묻는다.",
            "negation",
        ),
        ("집주인이 세입자에게 열쇠를 석 부 준다.", "세입자가 집주인에게 열쇠를 석 부 준다. 집주인이 문을 고친다.", "name"),
        ("수수료는 2% 오른다.", "둘 다 교체했다. 수수료는 5% 오른다.", "number"),
        ("예약 수수료는 0원입니다.", "예약 수수료는 3,000원입니다. 당일 취소는 환불되지 않습니다.", "number"),
    ],
)
def test_what_the_passage_does_not_say_is_found(sentence: str, passage: str, why: str):
    assert support(sentence, [passage]).why == why


def test_of_two_passages_either_may_say_it():
    assert support("보증금은 3만 원이고 오류는 14일 동안 남아요.", [LEAVE, NIGHT]).is_supported


@pytest.mark.parametrize(
    ("sentence", "passage", "is_supported"),
    [
        ("작업은 1시 30분에 시작해서 40분쯤 걸려요.", NIGHT, True),
        ("작업은 50분쯤 걸려요.", NIGHT, False),
        ("작업은 Jenkins가 시작해요.", NIGHT, False),
        ("The deposit is 30,000 won.", LEAVE, True),
        ("The deposit is 50,000 won.", LEAVE, False),
    ],
)
def test_across_languages_numbers_and_latin_names_are_compared_and_that_is_said(sentence: str, passage: str, is_supported: bool):
    checked = support(sentence, [passage])
    assert (checked.is_supported, checked.is_word_for_word) == (is_supported, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3만 원", "30,000원"), ("1억 2천만 원", "120,000,000원"), ("오 일", "5일"), ("닷새", "5 days"), ("2할", "20 percent"),
        ("절반", "50%"), ("1시간", "60분"), ("2주", "14 days"), ("3개월", "90일"), ("일주일", "seven days"), ("두 달 반", "2.5 months"),
        ("31 March", "3월 31일"), ("2026-03-31", "March 31, 2026"), ("3월 말", "31 March"), ("오후 3시 반", "15:30"), ("noon", "12:00"),
        ("금요일", "Friday"), ("2분기", "Q2"), ("25명", "twenty-five people"), ("3영업일", "three working days"), ("$1.5 million", "1,500,000 dollars"),
        ("이천이십육년 삼월 오일", "2026-03-05"), ("시월 초하루", "1 October"), ("오후 세 시 반", "15:30"), ("밤 열두 시", "midnight"),
        ("quarter past nine", "9:15"), ("1만 9,900원", "₩19,900"), ("석 달", "3개월"), ("영하 18도", "minus 18 degrees"), ("1시간 15분", "75 minutes"),
        ("an hour and a quarter", "75분"), ("three and a half hours", "세 시간 반"), ("a fortnight", "14일"), ("반값", "50%"), ("삼분의 일", "one third"),
        ("48시간", "two days"), ("격주", "every other week"), ("10영업일", "two weeks"), ("half a day", "12시간"),
        ("시속 60킬로미터", "60 km/h"), ("four times as many", "네 배"), ("1,200여 명", "1,200 people"), ("£85", "85 pounds"), ("아홉 개다", "9개"), ("doubled", "두 배"),
    ],
)  # fmt: skip
def test_numbers_and_dates_are_the_same_in_every_form(one: str, other: str):
    (here,), (there,) = quantities(plain(one)), quantities(plain(other))
    assert here.agrees_with(there)
    assert there.agrees_with(here)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3만 원", "3천 원"), ("5일", "5영업일"), ("30분", "30시간"), ("6%", "6%p"), ("$30", "30원"), ("160 °C", "160 °F"), ("500 MB", "500 GB"),
        ("3월 31일", "31 May"), ("3월 말", "3월 초"), ("오후 3시", "3 a.m."), ("월요일", "Tuesday"), ("1분기", "Q2"), ("2025년", "2026년"),
        ("영하 5도", "5도"), ("60 kg", "60 pounds"), ("40 francs", "40 euros"), ("밤 10시", "오전 10시"), ("넉 달", "석 달"), ("화·목", "수요일"),
    ],
)  # fmt: skip
def test_other_numbers_units_and_dates_are_others(one: str, other: str):
    assert not any(here.agrees_with(there) for here in quantities(plain(one)) for there in quantities(plain(other)))


@pytest.mark.parametrize(
    "text",
    [
        "이 일은 내 일이다",
        "한번 해 보세요",
        "IP 10.0.0.1",
        "GPT-4o",
        "May I come in?",
        "one of the teams",
        "두세 명",
        "a third party",
        "한시적으로",
        "VPN만 할 수 있다",
        "이번 사건의 조건과 구분은 사회 구조에 따른다",
        "이사할 때 한층 나아졌다",
        "둘째, 문을 닫는다",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str):
    assert quantities(plain(text)) == []


def right(half: str) -> dict[str, tuple[int, int]]:
    """Of the pairs of a half, by kind: how many were judged right, of how many."""
    pairs = [pair for pair in PAIRS if pair["half"] == half]
    judged = Counter(p["kind"] for p in pairs if support(p["sentence"], [p["passage"]]).is_supported == p["is_supported"])
    return {kind: (judged[kind], count) for kind, count in Counter(pair["kind"] for pair in pairs).items()}


def share(figures: dict[str, tuple[int, int]], *kinds: str) -> float:
    return sum(figures[kind][0] for kind in kinds) / sum(figures[kind][1] for kind in kinds)


@pytest.mark.parametrize(
    ("half", "kept", "values", "words"),
    [
        ("a", 0.95, 0.85, 0.75),
        ("b", 0.95, 0.9, 0.85),
        ("c", 0.95, 0.9, 0.7),
        ("d", 0.95, 0.9, 0.7),
        ("e", 0.95, 0.9, 0.65),
        ("f", 0.97, 0.8, 0.5),
        ("g", 0.92, 0.74, 0.54),
    ],
)
def test_final_figures_by_kind(half: str, kept: float, values: float, words: float):
    figures = right(half)
    assert share(figures, "close", "reworded") >= kept, figures
    assert share(figures, *WRONG_VALUE) >= values, figures
    assert share(figures, *WRONG_WORDS) >= words, figures
    assert share(figures, "across") >= 0.9, figures
