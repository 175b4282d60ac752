package dev.nibble.api;

import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Logits for comparison with other tools, as a safetensors file. Of batch b it holds {@code
 * b.tokens} and {@code b.positions}, I32 [N], {@code b.targets}, I32 [N] with -100 where nothing is
 * learned, and {@code b.logits}, F32 [N, V]. A position of 0 begins a sample.
 */
final class LogitsFile {
  private LogitsFile() {}

  static void write(Path file, CausalLm model, List<Batch> batches) throws IOException {
    try (Scope memory = Scope.open("logits", Memory.host())) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (int b = 0; b < batches.size(); b++) {
        Batch batch = batches.get(b);
        ints(memory, tensors, b + ".tokens", batch.tokens());
        ints(memory, tensors, b + ".positions", batch.positions());
        ints(memory, tensors, b + ".targets", batch.targets());
        float[][] logits = model.logits(batch);
        Tensor all = memory.allocate(b + ".logits", DType.F32, batch.length(), model.vocabSize());
        for (int i = 0; i < logits.length; i++) {
          all.slice(i, i + 1).put(logits[i]);
        }
        tensors.put(b + ".logits", all);
      }
      SafetensorsWriter.write(file, tensors, Map.of());
    }
  }

  private static void ints(Scope memory, Map<String, Tensor> tensors, String name, int[] values) {
    tensors.put(name, memory.allocate(name, DType.I32, values.length).put(values));
  }
}
