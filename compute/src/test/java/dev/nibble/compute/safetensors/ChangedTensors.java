package dev.nibble.compute.safetensors;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Changes of safetensors files, for tests. */
public final class ChangedTensors {
  private ChangedTensors() {}

  /** Writes a file anew with changed values of one tensor. */
  public static void change(Path file, String name, Consumer<Tensor> change) throws IOException {
    copy(file, name, name, change);
  }

  /** Writes a file anew with a further tensor of the values of another, changed. */
  public static void copy(Path file, String from, String to, Consumer<Tensor> change)
      throws IOException {
    Path written = file.resolveSibling("changed");
    try (SafetensorsFile before = Safetensors.open(file);
        Scope scope = Scope.open("test", Memory.host())) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      before.names().forEach(n -> tensors.put(n, before.tensor(n)));
      Tensor old = before.tensor(from);
      Tensor changed = scope.allocate(to, DType.F32, old.shape().dims()).put(old.toFloats());
      change.accept(changed);
      tensors.put(to, changed);
      SafetensorsWriter.write(written, tensors, before.metadata());
    }
    Files.delete(file);
    Files.move(written, file);
  }
}
