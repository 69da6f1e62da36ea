"""Conan 2 recipe.   conan create . --build=missing [-o synthdata/*:compiled=True] [-o synthdata/*:with_cuda=True]"""
import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout

required_conan_version = ">=2.0"


class SynthdataRecipe(ConanFile):
    name = "synthdata"
    description = "Header-only C++20 library that trains GANs"
    license = "MIT"
    topics = ("gan", "deep-learning", "synthetic-data", "header-only")
    package_type = "static-library"  # the type with compiled=True; without it configure() makes this a header library
    settings = "os", "arch", "compiler", "build_type"
    # with_cuda takes the CUDA Toolkit of the machine, which Conan does not package, and implies compiled
    options = {"compiled": [True, False], "image": [True, False], "sql": [True, False],
               "with_cuda": [True, False], "xml": [True, False]}
    default_options = {"compiled": False, "image": False, "sql": False, "with_cuda": False, "xml": False}
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "packaging/*"

    def set_version(self):
        text = Path(self.recipe_folder, "include/synthdata/version.hpp").read_text()
        self.version = ".".join(re.findall(r"VERSION_[A-Z]+ (\d+)", text))

    def configure(self):
        if self.options.with_cuda:
            self.options.compiled = True
        if self.options.sql:
            for backend in ("sqlite3", "postgresql", "mysql"):
                setattr(self.options["soci/*"], f"with_{backend}", True)
        if not self.options.compiled:
            self.package_type = "header-library"

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)
        self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True)
        if self.options.image:
            self.requires("libjpeg-turbo/[>=2.1 <4]", transitive_headers=True)
        if self.options.xml:
            self.requires("pugixml/[>=1.13 <2]", transitive_headers=True)
        if self.options.sql:
            self.requires("soci/[>=4.0.3 <5]", transitive_headers=True)
            self.requires("sqlite3/[>=3.40 <4]", transitive_headers=True)
            self.requires("libpq/[>=14 <18]", transitive_headers=True)
            self.requires("libmysqlclient/[>=8 <9]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["SYNTHDATA_COMPILED"] = bool(self.options.compiled)
        toolchain.cache_variables["SYNTHDATA_CUDA"] = bool(self.options.with_cuda)
        toolchain.cache_variables["CMAKE_DISABLE_FIND_PACKAGE_JPEG"] = not self.options.image
        toolchain.cache_variables["SYNTHDATA_SQL"] = bool(self.options.sql)
        toolchain.cache_variables["CMAKE_DISABLE_FIND_PACKAGE_pugixml"] = not self.options.xml
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"SYNTHDATA_BUILD_{part}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_id(self):
        parts = self.info.options.image, self.info.options.sql, self.info.options.xml
        if not self.info.options.compiled and not any(parts):
            self.info.clear()

    def package_info(self):
        # the package's own CMake files say everything, the targets' names included
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/synthdata"]
        self.cpp_info.bindirs = []
        self.cpp_info.libs = ["synthdata_cuda"] if self.options.with_cuda else []
        self.cpp_info.libs += ["synthdata_compiled"] if self.options.compiled else []
