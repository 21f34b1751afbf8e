# Packs a folder of files with bit7z, tests the archive, lists it and unpacks it, in part and as a whole.
import os
import sys

import bit7z_python as b7z

archive = sys.argv[1]
os.makedirs("files", exist_ok=True)
for i in range(20):
    with open(f"files/file{i}.txt", "w") as file:
        file.write(f"line {i}\n" * 50)
library = b7z.Bit7zLibrary(b7z.default_7zip_lib_path)
b7z.BitFileCompressor(library, b7z.FORMAT_7Z).compress_directory_contents("files", archive)
extractor = b7z.BitFileExtractor(library, b7z.FORMAT_AUTO)
extractor.set_file_callback(print)
extractor.test(archive)
# Asks for each item's properties, and prints the names of those that it takes.
extractor.extract_matching(archive, "*1?.txt", "some")
extractor.extract(archive, "all")
print(sorted(os.listdir("some")), sorted(os.listdir("all")))
