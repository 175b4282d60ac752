package dev.nibble.api.runs;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.api.text.Paths;
import dev.nibble.compute.tensor.DType;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.gguf.GgufType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code nibble export}. */
public final class ExportRun {

  /** What an adapter is merged onto. */
  public enum Onto {
    /** The weights that it was trained against. */
    TRAINED,
    /** The base model's own. */
    ORIGINAL
  }

  /** What to write. */
  public sealed interface Format {
    /**
     * A whole model in Hugging Face's layout.
     *
     * @param dtype F32, BF16 or F16
     * @param maxShardBytes the most bytes of one file
     * @param largestDivergence from base and adapter, in nats; empty: not to be checked
     */
    record Merged(Onto onto, DType dtype, long maxShardBytes, Optional<Double> largestDivergence)
        implements Format {}

    /**
     * The adapter in PEFT's layout.
     *
     * @param baseName what to call its base; empty: as the run has it
     */
    record Adapter(Optional<String> baseName) implements Format {}

    /** A whole model in one GGUF file. */
    record Gguf(GgufType type, Onto onto) implements Format {}

    /** The adapter in a GGUF file. */
    record GgufLora(GgufType type) implements Format {}
  }

  /**
   * What is asked for.
   *
   * @param output a folder, or a file for GGUF
   * @param overwrite whether an earlier export may be replaced
   */
  public record Request(Format format, Path output, boolean overwrite) {}

  private final RunSubject subject;
  private final Output console;

  /** An export of {@code subject}. */
  public ExportRun(RunSubject subject, Output console) {
    this.subject = subject;
    this.console = console;
  }

  /**
   * Writes what is asked for, whole or not at all.
   *
   * @throws ExportException when it cannot be written so
   */
  public void run(Request request) {
    ExportTarget target = new ExportTarget(request.output(), request.overwrite());
    try {
      switch (request.format()) {
        case Format.Merged merged ->
            new MergedExport(subject, adapterRun(), console).write(merged, target);
        case Format.Adapter adapter -> writeAdapter(adapter, target);
        case Format.Gguf gguf -> new GgufExport(subject, console).write(gguf, target);
        case Format.GgufLora lora ->
            new GgufExport(subject, console).writeAdapter(adapterRun(), lora, target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder of a run that trained an adapter. */
  private Path adapterRun() {
    Path run =
        subject
            .run()
            .orElseThrow(() ->
                new ExportException(
                    "a recipe has learned nothing yet: train it, and give the folder of the run"));
    if (subject.recipe().model().lora().isEmpty()) {
      throw new ExportException(
          "%s trained every weight: it holds no adapter, its folder is the whole model already"
              .formatted(Paths.shown(run)));
    }
    return run;
  }

  private void writeAdapter(Format.Adapter format, ExportTarget target) throws IOException {
    PeftAdapter adapter = PeftAdapter.open(adapterRun());
    target.write(folder -> adapter.copy(folder, format.baseName().orElse(adapter.baseModel())));
    console.entry("adapter", "saved in " + Paths.shown(target.path()));
  }
}
