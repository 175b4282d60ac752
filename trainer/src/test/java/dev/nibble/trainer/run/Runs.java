package dev.nibble.trainer.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs as their folders hold them, without the work of training them. */
final class Runs {
  private Runs() {}

  static RunSettings settings(String rate, long epochs) {
    return new RunSettings(
        new LinkedHashMap<>(Map.of("rate", rate)), new LinkedHashMap<>(Map.of("epochs", epochs)));
  }

  static Provenance provenance(RunSettings settings, RunInput... inputs) {
    return new Provenance(
        settings,
        List.of(inputs),
        List.of(),
        LocalDateTime.of(2026, 11, 30, 3, 0),
        Build.current(),
        Machine.current(),
        "kernels");
  }

  /** A run that has begun and saved nothing. */
  static void begun(Path folder, RunSettings settings) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("recipe.resolved.yaml"), "recipe of " + settings);
    provenance(settings).write(folder);
    Files.writeString(folder.resolve("metrics.jsonl"), "");
  }

  /** The same with a checkpoint. */
  static void stopped(Path folder, RunSettings settings, long step) throws IOException {
    begun(folder, settings);
    checkpoint(folder, step);
  }

  static void checkpoint(Path folder, long step) throws IOException {
    Path checkpoint = Files.createDirectories(folder.resolve("checkpoint-" + step));
    Files.writeString(checkpoint.resolve("trainer_state.json"), "{}");
  }

  /** The same with a trained adapter. */
  static void finished(Path folder, RunSettings settings, long step) throws IOException {
    stopped(folder, settings, step);
    Files.writeString(folder.resolve("adapter_config.json"), "{}");
    Files.writeString(folder.resolve("adapter_model.safetensors"), "weights");
  }
}
