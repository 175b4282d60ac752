package dev.nibble.quant.bnb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Codes, scales and dequantised values, bit for bit as bitsandbytes' CPU kernels make them. */
@Tag("golden")
final class GoldenTensorsTest {

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void quantisesToTheSameBits(String set) {
    JsonNode cases = JsonMapper.shared().readTree(Golden.bnb("tensors.json"));
    assertThat(cases.size()).isGreaterThanOrEqualTo(26);
    try (SafetensorsFile golden = Safetensors.open(Golden.bnb("tensors.safetensors"));
        Kernels kernels = EachKernelSet.open(set)) {
      cases
          .properties()
          .forEach(e -> {
            try (Scope scope = Scope.open("case", kernels.memory())) {
              check(e.getKey(), e.getValue(), golden, kernels, scope);
            }
          });
    }
  }

  private static void check(
      String name, JsonNode spec, SafetensorsFile golden, Kernels kernels, Scope scope) {
    try (HostCopies host = new HostCopies(kernels)) {
      check(name, spec, golden, kernels, scope, host);
    }
  }

  private static void check(
      String name,
      JsonNode spec,
      SafetensorsFile golden,
      Kernels kernels,
      Scope scope,
      HostCopies host) {
    FourBitFormat format =
        new FourBitFormat(
            QuantType.valueOf(spec.get("quant_type").stringValue().toUpperCase(Locale.ROOT)),
            spec.get("blocksize").intValue(),
            spec.get("nested").booleanValue());
    Tensor weight = golden.tensor(name + ".weight");
    Codebook q = format.allocator(kernels, scope).allocate(name, weight.dim(0), weight.dim(1));
    Tensor near = scope.allocate("weight", weight.dtype(), weight.shape().dims());
    kernels.moving().copy(near, weight);
    kernels.products().encode(q, near);

    Codebook made = q.over(host::of);
    same(name + " codes", made.codes(), golden.tensor(name + ".packed"));
    switch (made.scales()) {
      case Scales.Plain plain -> same(name, plain.absmax(), golden.tensor(name + ".absmax"));
      case Scales.Nested nested -> {
        assertThat(nested.offset().getFloat(0))
            .as(name + " offset")
            .isEqualTo((float) spec.get("nested_offset").doubleValue());
        same(name + " scales", nested.codes(), golden.tensor(name + ".absmax"));
        same(name + " absmax", nested.absmax(), golden.tensor(name + ".nested_absmax"));
        same(name + " map", nested.codebook(), golden.tensor(name + ".nested_quant_map"));
      }
    }
    kernels.products().decode(near, q);
    Tensor dense = host.of(near);
    Tensor expected = golden.tensor(name + ".dequant");
    for (long i = 0; i < dense.elements(); i++) {
      // -0 and 0 are equal: which of them a zero of FP4 becomes depends on the library's version.
      assertThat(dense.getFloat(i) == expected.getFloat(i))
          .as("%s dequantised [%d]: %s, %s", name, i, dense.getFloat(i), expected.getFloat(i))
          .isTrue();
    }
  }

  private static void same(String what, Tensor actual, Tensor expected) {
    assertThat(actual.memory().toArray(ValueLayout.JAVA_BYTE))
        .as(what)
        .isEqualTo(expected.memory().toArray(ValueLayout.JAVA_BYTE));
  }

  /** The same tensors written again give the same file that the format's own library wrote. */
  @Test
  void writesTheSameFile(@TempDir Path folder) throws IOException {
    for (String name : new String[] {"tensors.safetensors", "checkpoint/model.safetensors"}) {
      Path copy = folder.resolve("copy.safetensors");
      try (SafetensorsFile golden = Safetensors.open(Golden.bnb(name))) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        golden.names().stream().sorted().forEach(n -> tensors.put(n, golden.tensor(n)));
        SafetensorsWriter.write(copy, tensors, golden.metadata());
      }
      assertThat(Files.mismatch(copy, Golden.bnb(name))).as(name).isEqualTo(-1);
    }
  }
}
