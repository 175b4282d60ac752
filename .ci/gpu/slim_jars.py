"""Copies the jars that the kernel set cuda needs, and not those of what else Nibble can do, such as other kernel sets,
Arrow and tokenizers. The copies are not compressed, so that the whole compresses better.

    python3 slim_jars.py TO JAR...
"""

import os
import re
import sys
import zipfile

LEFT_OUT = re.compile(
    r"^(nd4j|openblas|dnnl|javacpp|arrow|tribuo|protobuf|jackson-1|guava-1|jna|oshi|jline|commons-(compress|math|collections)"
    r"|tokenizers|api-0|flatbuffers|neoitertools|zstd|byte-buddy|netty|olcut|ejml|archunit|jmh|threetenbp|onnx)"
)
SETS = "META-INF/services/dev.nibble.compute.kernels.KernelSet"
HOSTS = "META-INF/services/dev.nibble.compute.kernels.cuda.work.CudaHost"
CUDA = b"dev.nibble.compute.kernels.cuda.CudaKernelSet\n"

to = sys.argv[1]
os.makedirs(to, exist_ok=True)
for jar in sys.argv[2:]:
    name = os.path.basename(jar)
    if LEFT_OUT.match(name):
        continue
    with zipfile.ZipFile(jar) as source, zipfile.ZipFile(os.path.join(to, name), "w") as copy:
        for entry in source.infolist():
            if not entry.is_dir() and entry.filename != HOSTS:
                copy.writestr(entry.filename, CUDA if entry.filename == SETS else source.read(entry))
