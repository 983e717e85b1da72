"""The table of units: what is counted or measured, by which names, and how many of its base one is.

A line is `dimension: unit factor [+offset]: Korean names: signs: English words`, names divided by spaces, `_` in a
name for a space. Dimensions whose units cannot be turned into one another have one unit each. Factors are exact by
definition (SI, the international yard and pound of 1959, kgf = 9.80665 N), or, marked so, rounded to seven digits.
"""

TABLE = """
krw: KRW 1: 원: ₩ KRW: won
usd: USD 1: 달러 미국달러 미달러 불: $ US$ USD: dollar dollars us_dollar us_dollars
usd: cent 0.01: 센트: ¢: cent cents
eur: EUR 1: 유로: € EUR: euro euros
jpy: JPY 1: 엔: ¥ JPY: yen
cny: CNY 1: 위안: CNY RMB: yuan
gbp: GBP 1: 파운드: £ GBP: pound pounds pound_sterling pounds_sterling

ratio: % 0.01: 퍼센트 프로 %: % pct: percent per_cent
ratio: ‰ 0.001: 퍼밀: ‰: per_mille
ratio: 할 0.1: 할: :
ratio: ppm 0.000001: : ppm: parts_per_million
ratio: ppb 0.000000001: : ppb: parts_per_billion
point: %p 1: 퍼센트포인트 퍼센트_포인트 포인트 %포인트: %p %P %pt pp: percentage_point\
 percentage_points point points
point: bp 0.01: : bp bps: basis_point basis_points
fold: fold 1: 배: : fold times

person: person 1: 명 인 사람: : person persons people individuals
item: item 1: 개 낱개: EA ea pcs: piece pieces item items pc
kind: kind 1: 가지 종류 개_항목 개_조건 개_요건 개_유형 개_요소 개_이유 개_방법 개_분야 개_부분: : kind kinds type types
species: species 1: 종: : species
case: case 1: 건: : case cases
volume_no: book 1: 권: : volume volumes book books copies
machine: machine 1: 대: : vehicle vehicles
times: times 1: 회 번 차례: : time times
animal: head 1: 마리: :
tree: tree 1: 그루: :
bottle: bottle 1: 병: : bottle bottles
cup: cup 1: 잔 컵: : cup cups
sheet: sheet 1: 장 매: : sheet sheets
building: building 1: 동 채: : building buildings
ship: ship 1: 척: : ship ships
household: household 1: 가구: : household households
place: place 1: 곳 군데 개소: : place places
team: team 1: 팀 개팀: : team teams
company: company 1: 개사: : company companies
country: country 1: 개국: : country countries nation nations
pair: pair 1: 쌍 켤레: : pair pairs
age: age 1: 세 살: : years_old year_old years-old year-old years_of_age
floor: floor 1: 층: : storey storeys story stories floor floors
school_year: school_year 1: 학년: :
term: term 1: 학기: :
stage: stage 1: 단계: : stage stages step steps
score: score 1: 점: :
level: level 1: 등급 급: :
page: page 1: 쪽 페이지 면: : page pages
letter: letter 1: 자 글자: : character characters letter letters
word: word 1: 단어: : word words
question: question 1: 문항 문제: : question questions
line: line 1: 행 줄: : line lines
lecture: lecture 1: 강 교시: : lesson lessons
credit: credit 1: 학점: : credit credits
vote: vote 1: 표: : vote votes
song: song 1: 곡: : song songs
game: game 1: 경기: : game games match matches
goal: goal 1: 골: : goal goals
round: round 1: 라운드: : round rounds
generation: generation 1: : : generation generations
group: group 1: 그룹 무리: : group groups
anniversary: anniversary 1: 주년: : anniversary
quarter: quarter 1: 분기: :
century: century 1: 세기: : century centuries
seat: seat 1: 석: : seat seats
row: column 1: 열: : column columns
byte: byte 1: 바이트: B: byte bytes
byte: KB 1000: 킬로바이트: KB kB: kilobyte kilobytes
byte: MB 1000000: 메가바이트: MB: megabyte megabytes
byte: GB 1000000000: 기가바이트: GB: gigabyte gigabytes
byte: TB 1000000000000: 테라바이트: TB: terabyte terabytes
bit: bit 1: 비트: bit: bits
bit_rate: bps 1: : bps:
bit_rate: Mbps 1000000: : Mbps:
bit_rate: Gbps 1000000000: : Gbps:
pixel: pixel 1: 픽셀 화소: px: pixel pixels

time: s 1: 초 초간: s sec secs: second seconds
time: ms 0.001: 밀리초: ms: millisecond milliseconds
time: μs 0.000001: 마이크로초: μs us: microsecond microseconds
time: ns 0.000000001: 나노초: ns: nanosecond nanoseconds
time: min 60: 분 분간: min mins: minute minutes
time: h 3600: 시간: h hr hrs: hour hours
time: day 86400: 일 일간 날: : day days
time: week 604800: 주 주간 주일: wk wks: week weeks
months: month 1: 개월 달 개월간: mo: month months
months: year 12: 년 년간 개년 해: yr yrs: year years
decades: decade 1: : : decade decades

length: m 1: 미터: m: metre metres meter meters
length: km 1000: 킬로미터 킬로: km: kilometre kilometres kilometer kilometers
length: cm 0.01: 센티미터 센티 센치: cm: centimetre centimetres centimeter centimeters
length: mm 0.001: 밀리미터 밀리: mm: millimetre millimetres millimeter millimeters
length: μm 0.000001: 마이크로미터 마이크론: μm um: micrometre micrometres micrometer micrometers micron microns
length: nm 0.000000001: 나노미터: nm: nanometre nanometres nanometer nanometers
length: inch 0.0254: 인치: : inch inches
length: ft 0.3048: 피트: ft: foot feet
length: yd 0.9144: 야드: yd yds: yard yards
length: mile 1609.344: 마일: mi: mile miles
length: nmi 1852: 해리: nmi: nautical_mile nautical_miles
light_year: ly 1: 광년: ly: light_year light_years light-year light-years
area: m2 1: 제곱미터 평방미터: m2 m^2 sqm: square_metre square_metres square_meter square_meters
area: km2 1000000: 제곱킬로미터 평방킬로미터: km2 km^2: square_kilometre square_kilometres square_kilometer\
 square_kilometers
area: cm2 0.0001: 제곱센티미터: cm2 cm^2: square_centimetre square_centimetres square_centimeter square_centimeters
area: mm2 0.000001: 제곱밀리미터: mm2 mm^2: square_millimetre square_millimetres square_millimeter square_millimeters
area: ha 10000: 헥타르: ha: hectare hectares
area: acre 4046.8564224: 에이커: ac: acre acres
area: ft2 0.09290304: 제곱피트: ft2 sqft: square_foot square_feet
area: mile2 2589988.110336: 제곱마일: mi2: square_mile square_miles
area: 평 3.305785: 평: :
volume: m3 1000: 세제곱미터 입방미터 루베: m3 m^3 cbm: cubic_metre cubic_metres cubic_meter cubic_meters
volume: L 1: 리터: L l: litre litres liter liters
volume: mL 0.001: 밀리리터 씨씨: mL ml cc cm3: millilitre millilitres milliliter milliliters
volume: kL 1000: 킬로리터: kL kl: kilolitre kilolitres
volume: μL 0.000001: 마이크로리터: μL μl: microlitre microliter
volume: gallon 3.785411784: 갤런: gal: gallon gallons
barrel: barrel 1: 배럴: bbl: barrel barrels
gas_volume: Nm3 1: 노멀입방미터: Nm3 Nm^3 Sm3:
mass: kg 1: 킬로그램: kg Kg: kilogram kilograms kilogramme kilogrammes
mass: g 0.001: 그램: g: gram grams gramme grammes
mass: mg 0.000001: 밀리그램: mg: milligram milligrams
mass: μg 0.000000001: 마이크로그램: μg ug mcg: microgram micrograms
mass: t 1000: 톤: t ton: ton tons tonne tonnes
mass: lb 0.45359237: 파운드: lb lbs: pound pounds
mass: oz 0.028349523125: 온스: oz: ounce ounces
force: N 1: 뉴턴: N: newton newtons
force: kN 1000: 킬로뉴턴: kN:
force: kgf 9.80665: : kgf:
pressure: Pa 1: 파스칼: Pa: pascal pascals
pressure: hPa 100: 헥토파스칼: hPa:
pressure: kPa 1000: 킬로파스칼: kPa: kilopascal kilopascals
pressure: MPa 1000000: 메가파스칼: MPa: megapascal megapascals
pressure: GPa 1000000000: 기가파스칼: GPa:
pressure: bar 100000: 바: bar barg: bars
pressure: mbar 100: 밀리바: mbar: millibar millibars
pressure: psi 6894.757: : psi psig: pounds_per_square_inch
pressure: atm 101325: 기압: atm: atmosphere atmospheres
pressure: mmHg 133.3224: : mmHg Torr torr:
pressure: kgf/cm2 98066.5: : kgf/cm2 kg/cm2 kgf/cm^2 kg/cm^2:
pressure: mmH2O 9.80665: : mmH2O mmAq:
temperature: °C 1: 도: °C ° degC: degree degrees degrees_celsius degree_celsius degrees_centigrade celsius
temperature: °F 0.5555555555555555555555555556 -17.77777777777777777777777778: : °F degF: degrees_fahrenheit fahrenheit
temperature: K 1 -273.15: 켈빈: K: kelvin kelvins
voltage: V 1: 볼트: V: volt volts
voltage: kV 1000: 킬로볼트: kV KV: kilovolt kilovolts
voltage: mV 0.001: 밀리볼트: mV: millivolt millivolts
current: A 1: 암페어: A: ampere amperes amp amps
current: mA 0.001: 밀리암페어: mA: milliampere milliamperes
charge: mAh 1: : mAh:
power: W 1: 와트: W: watt watts
power: kW 1000: 킬로와트: kW KW: kilowatt kilowatts
power: MW 1000000: 메가와트: MW: megawatt megawatts
power: GW 1000000000: 기가와트: GW: gigawatt gigawatts
power: TW 1000000000000: 테라와트: TW:
power: hp 745.6999: : hp HP: horsepower
power: PS 735.49875: 마력: PS:
apparent_power: VA 1: : VA:
apparent_power: kVA 1000: : kVA KVA:
energy: J 1: 줄: J: joule joules
energy: kJ 1000: 킬로줄: kJ: kilojoule kilojoules
energy: MJ 1000000: 메가줄: MJ: megajoule megajoules
energy: GJ 1000000000: 기가줄: GJ:
energy: cal 4.184: 칼로리: cal: calorie calories
energy: kcal 4184: 킬로칼로리: kcal Kcal: kilocalorie kilocalories
energy: Wh 3600: 와트시: Wh:
energy: kWh 3600000: 킬로와트시 킬로와트아워: kWh KWh KWH: kilowatt_hour kilowatt_hours kilowatt-hours
energy: MWh 3600000000: 메가와트시: MWh:
energy: GWh 3600000000000: 기가와트시: GWh:
frequency: Hz 1: 헤르츠: Hz: hertz
frequency: kHz 1000: 킬로헤르츠: kHz KHz: kilohertz
frequency: MHz 1000000: 메가헤르츠: MHz: megahertz
frequency: GHz 1000000000: 기가헤르츠: GHz: gigahertz
resistance: Ω 1: 옴: Ω: ohm ohms
resistance: kΩ 1000: 킬로옴: kΩ:
resistance: MΩ 1000000: 메가옴: MΩ: megohm megohms
capacitance: F 1: 패럿: F: farad farads
sound: dB 1: 데시벨: dB dBA: decibel decibels
light: lx 1: 럭스: lx lux:
luminous: lm 1: 루멘: lm: lumen lumens
rotation: rpm 1: : rpm RPM:
amount: mol 1: 몰: mol: mole moles
dose: Sv 1: 시버트: Sv: sievert sieverts
dose: mSv 0.001: 밀리시버트: mSv:
dose: μSv 0.000001: 마이크로시버트: μSv:
activity: Bq 1: 베크렐: Bq: becquerel becquerels
luminance: nit 1: 니트: nit: nits
speed: mph 0.44704: : mph: miles_per_hour
speed: knot 0.5144444: 노트: kn: knot knots
speed: km/h 0.2777777777777777777777777778: : kph kmh: kilometres_per_hour kilometers_per_hour km_per_hour
speed: m/s 1: : mps: metres_per_second meters_per_second
"""

NOT_FOLLOWED: dict[str, str] = {
    "원": "[칙고작]|주율|소|인(?![데지가])",
    "인": "[치물구종류]|도[의적]",
    "명": "[제칭령]",
    "개": "[념혁발막최구별]|선[이을은과 ]|인(?![데지가])",
    "가지": "고",
    "종": "[류목교]",
    "건": "[물축강설조]",
    "권": "[리역력한]",
    "대": "[학륙한표통비책응형]|부분|규모|기업",
    "회": "[사원장관]",
    "번": "[역호]",
    "장": "[비소치애점관기]",
    "동": "[안시물]",
    "세": "[계금포력상]",
    "살": "인",
    "점": "[검심유포]",
    "급": "[여식격]",
    "면": "[적접허]",
    "자": "[동료치연본리녀루]",
    "행": "[정사동위]",
    "강": "[화조당]",
    "표": "[준면시현]",
    "열": "[량차기]",
    "초": "[기등반과]",
    "분": "[야류석포쟁자배기]",
    "일": "본|반|정(?!도)|부(?!터)|체",
    "주": "[민택요변식장]",
    "년": "[도대]",
    "바": "[가-힣]",
    "평": "[균가야]",
    "도": "[시서입움구중]",
    "병": "원",
    "해": "[당결외]",
    "달": "[성러라하]",
    "날": "[씨개]",
    "매": "[출입년월일주]",
    "배": "[럴출경치우]",
    "팀": "장",
    "석": "[유탄]",
    "골": "[목격]",
    "곡": "[선물]",
    "할": "인|당|수",
    "프로": "[그젝세필]",
    "밀리": "[는고며]",
    "노트": "북",
    "엔": "[진지]",
    "불": "[량만]",
    "채": "널",
    "척": "추",
    "킬로": "[그미와파헤줄볼]",
    "시간": "표",
}
"""What a name must not run on with: 100개 is counted, 100개념 is not."""
