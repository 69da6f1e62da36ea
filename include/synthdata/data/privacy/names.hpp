// synthdata/data/privacy/names.hpp: first names and surnames that are common in several countries.
//
// Such as public statistics (censuses, registers of births) list on top; without accents, in the order of their small
// letters. Surnames that are also everyday words or colours ("White", "King") are left out.
//
// A pseudonym is chosen by its place in these lists: a change here changes all pseudonyms of names.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <string_view>

namespace synthdata::detail {

inline constexpr std::string_view first_names[] = {
    "Aaron",     "Abdul",      "Abigail",   "Adam",       "Adrian",    "Agnieszka", "Ahmed",       "Aisha",
    "Alan",      "Albert",     "Alejandro", "Alessandro", "Alex",      "Alexander", "Alexandra",   "Ali",
    "Alice",     "Alicia",     "Amanda",    "Amelia",     "Amina",     "Amy",       "Ana",         "Anastasia",
    "Andrea",    "Andreas",    "Andrew",    "Angela",     "Anita",     "Anna",      "Anne",        "Anthony",
    "Antonio",   "Aoife",      "Arjun",     "Arthur",     "Astrid",    "Barbara",   "Beatriz",     "Benjamin",
    "Bernd",     "Bjorn",      "Bogdan",    "Brandon",    "Brenda",    "Brian",     "Bruno",       "Camille",
    "Carla",     "Carlos",     "Carmen",    "Carol",      "Caroline",  "Catherine", "Cecilia",     "Charles",
    "Chen",      "Chiara",     "Chloe",     "Christian",  "Christina", "Christine", "Christopher", "Claire",
    "Clara",     "Claudia",    "Cristina",  "Daniel",     "Daniela",   "Danielle",  "David",       "Deborah",
    "Dennis",    "Diana",      "Diego",     "Dimitri",    "Dirk",      "Dmitri",    "Donald",      "Donna",
    "Dorothy",   "Douglas",    "Eduardo",   "Edward",     "Elena",     "Elias",     "Elisabeth",   "Elizabeth",
    "Ella",      "Emily",      "Emma",      "Enrique",    "Eric",      "Erik",      "Erika",       "Ethan",
    "Eva",       "Evelyn",     "Fabian",    "Fatima",     "Felix",     "Fernando",  "Filip",       "Fiona",
    "Francesca", "Francesco",  "Francisco", "Frank",      "Franz",     "Gabriel",   "Gabriela",    "Gary",
    "George",    "Gerhard",    "Giovanni",  "Giulia",     "Gloria",    "Gregory",   "Guillaume",   "Gunther",
    "Gustavo",   "Hanna",      "Hannah",    "Hans",       "Harold",    "Hassan",    "Heather",     "Heinz",
    "Helen",     "Helena",     "Helga",     "Henrik",     "Henry",     "Hiroshi",   "Hugo",        "Ibrahim",
    "Igor",      "Ines",       "Ingrid",    "Irene",      "Isabel",    "Isabella",  "Ivan",        "Jack",
    "Jacob",     "Jacqueline", "James",     "Jan",        "Jana",      "Janet",     "Janice",      "Jason",
    "Javier",    "Jean",       "Jeffrey",   "Jennifer",   "Jeremy",    "Jessica",   "Joan",        "Joanna",
    "Johan",     "Johannes",   "John",      "Jonas",      "Jonathan",  "Jorge",     "Jose",        "Joseph",
    "Joshua",    "Juan",       "Judith",    "Julia",      "Julie",     "Jurgen",    "Justin",      "Karen",
    "Karin",     "Karl",       "Katarzyna", "Katherine",  "Kathleen",  "Keith",     "Kelly",       "Kenneth",
    "Kevin",     "Khalid",     "Klaus",     "Krzysztof",  "Kyle",      "Lars",      "Laura",       "Lauren",
    "Leila",     "Lena",       "Leon",      "Leonardo",   "Liam",      "Linda",     "Lisa",        "Louis",
    "Louise",    "Lucas",      "Lucia",     "Luis",       "Luisa",     "Lukas",     "Magdalena",   "Manuel",
    "Marco",     "Margaret",   "Maria",     "Marie",      "Mario",     "Marta",     "Martha",      "Martin",
    "Martina",   "Mary",       "Mateusz",   "Matteo",     "Matthew",   "Megan",     "Mehmet",      "Melissa",
    "Michael",   "Michelle",   "Miguel",    "Mohamed",    "Mohammed",  "Monika",    "Muhammad",    "Nancy",
    "Natalia",   "Nathan",     "Nicholas",  "Nicole",     "Nikolai",   "Noah",      "Nora",        "Olga",
    "Oliver",    "Olivia",     "Omar",      "Pablo",      "Pamela",    "Patricia",  "Patrick",     "Paul",
    "Paula",     "Pedro",      "Peter",     "Petra",      "Philip",    "Pierre",    "Piotr",       "Priya",
    "Rachel",    "Rafael",     "Rahul",     "Raymond",    "Rebecca",   "Ricardo",   "Richard",     "Robert",
    "Roberto",   "Roger",      "Ronald",    "Ruth",       "Ryan",      "Samantha",  "Samuel",      "Sandra",
    "Sanjay",    "Sara",       "Sarah",     "Scott",      "Sebastian", "Sergei",    "Sharon",      "Shirley",
    "Silvia",    "Simon",      "Sofia",     "Sophie",     "Stefan",    "Stephanie", "Stephen",     "Steven",
    "Susan",     "Sven",       "Tamara",    "Tatiana",    "Teresa",    "Theresa",   "Thomas",      "Timothy",
    "Tomasz",    "Tyler",      "Ursula",    "Valentina",  "Vanessa",   "Vera",      "Veronica",    "Victor",
    "Victoria",  "Vincent",    "Vladimir",  "Walter",     "William",   "Wolfgang",  "Yasmin",      "Yuki",
    "Yusuf",     "Zoe",        "Zofia"};

inline constexpr std::string_view surnames[] = {
    "Adams",      "Aguilar",   "Ahmed",     "Alexander", "Ali",       "Allen",       "Alvarez",    "Andersen",
    "Anderson",   "Andersson", "Andrews",   "Armstrong", "Arnold",    "Bailey",      "Baker",      "Banerjee",
    "Barbosa",    "Barnes",    "Bauer",     "Becker",    "Bennett",   "Bernard",     "Bianchi",    "Boyd",
    "Bradley",    "Brooks",    "Bryant",    "Burns",     "Butler",    "Campbell",    "Carlson",    "Carpenter",
    "Carroll",    "Carter",    "Castillo",  "Castro",    "Chan",      "Chavez",      "Chen",       "Clark",
    "Cohen",      "Coleman",   "Collins",   "Colombo",   "Contreras", "Cooper",      "Costa",      "Cruz",
    "Cunningham", "Daniels",   "Davies",    "Davis",     "Delgado",   "Diaz",        "Dixon",      "Dubois",
    "Duncan",     "Dunn",      "Dupont",    "Edwards",   "Elliott",   "Ellis",       "Eriksen",    "Eriksson",
    "Esposito",   "Evans",     "Fernandes", "Fernandez", "Ferrari",   "Ferreira",    "Fischer",    "Fisher",
    "Fleming",    "Flores",    "Foster",    "Fournier",  "Franklin",  "Freeman",     "Fuchs",      "Fujita",
    "Garcia",     "Gardner",   "Garza",     "Gibson",    "Gomes",     "Gomez",       "Gonzales",   "Gonzalez",
    "Graham",     "Greco",     "Griffin",   "Gupta",     "Gutierrez", "Guzman",      "Haas",       "Hamilton",
    "Hansen",     "Hansson",   "Harper",    "Harris",    "Harrison",  "Hartmann",    "Harvey",     "Hawkins",
    "Hayes",      "Henderson", "Henry",     "Hernandez", "Herrera",   "Hicks",       "Hoffman",    "Hoffmann",
    "Holmes",     "Howard",    "Hughes",    "Hussain",   "Ibrahim",   "Ito",         "Ivanov",     "Jackson",
    "Jacobs",     "Jansen",    "Jenkins",   "Jensen",    "Jimenez",   "Johansson",   "Johnson",    "Johnston",
    "Jones",      "Jung",      "Kaiser",    "Kang",      "Kapoor",    "Karlsson",    "Kaufmann",   "Kaya",
    "Keller",     "Kelley",    "Kelly",     "Kennedy",   "Khan",      "Kim",         "Klein",      "Kobayashi",
    "Koch",       "Kowalski",  "Krause",    "Kruger",    "Kumar",     "Lambert",     "Larsen",     "Larsson",
    "Laurent",    "Lawson",    "Lefebvre",  "Lehmann",   "Leroy",     "Lewandowski", "Lewis",      "Lindberg",
    "Liu",        "Lopez",     "Lorenzo",   "Ludwig",    "Lynch",     "Maier",       "Marino",     "Marques",
    "Marshall",   "Martin",    "Martinez",  "Martins",   "Matthews",  "McCoy",       "McDonald",   "Medina",
    "Mehta",      "Mendez",    "Mendoza",   "Meyer",     "Meyers",    "Miller",      "Mitchell",   "Montgomery",
    "Moore",      "Morales",   "Moreau",    "Moreno",    "Morgan",    "Morris",      "Morrison",   "Muller",
    "Murphy",     "Murray",    "Myers",     "Nakamura",  "Navarro",   "Nelson",      "Neumann",    "Nguyen",
    "Nielsen",    "Nilsson",   "Novak",     "Nowak",     "Oliveira",  "Olsen",       "Olson",      "Ortega",
    "Ortiz",      "Owens",     "Parker",    "Patel",     "Patterson", "Pedersen",    "Pereira",    "Perez",
    "Perkins",    "Peters",    "Petersen",  "Peterson",  "Petrov",    "Phillips",    "Popescu",    "Powell",
    "Ramirez",    "Ramos",     "Reynolds",  "Ricci",     "Richards",  "Richardson",  "Richter",    "Riley",
    "Rivera",     "Roberts",   "Robertson", "Robinson",  "Rodrigues", "Rodriguez",   "Rogers",     "Romano",
    "Romero",     "Rossi",     "Roux",      "Ruiz",      "Russell",   "Russo",       "Ryan",       "Salazar",
    "Sanchez",    "Sanders",   "Santiago",  "Santos",    "Sato",      "Schafer",     "Schmidt",    "Schmitt",
    "Schneider",  "Schroeder", "Schubert",  "Schulz",    "Schwartz",  "Schwarz",     "Scott",      "Sharma",
    "Shaw",       "Silva",     "Simmons",   "Simpson",   "Singh",     "Smith",       "Soto",       "Souza",
    "Stephens",   "Stevens",   "Stewart",   "Sullivan",  "Suzuki",    "Svensson",    "Takahashi",  "Tanaka",
    "Taylor",     "Thomas",    "Thompson",  "Torres",    "Tran",      "Tucker",      "Vargas",     "Vasquez",
    "Vogel",      "Wagner",    "Walker",    "Wallace",   "Walsh",     "Wang",        "Warren",     "Watanabe",
    "Watson",     "Weaver",    "Weber",     "Weiss",     "Werner",    "Williams",    "Williamson", "Wilson",
    "Wojcik",     "Wong",      "Wu",        "Yamamoto",  "Yang",      "Yilmaz",      "Zhang",      "Zimmermann"};

}  // namespace synthdata::detail
