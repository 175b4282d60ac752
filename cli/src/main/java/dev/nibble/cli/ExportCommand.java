package dev.nibble.cli;

import dev.nibble.api.ModelSource;
import dev.nibble.api.Nibble;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.ExportFormat.Onto;
import dev.nibble.api.export.Exporter;
import dev.nibble.cli.report.ExportReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.tensor.DType;
import dev.nibble.trainer.export.gguf.GgufType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code nibble export}. */
@Command(
    name = "export",
    header = "Export a trained model or adapter for other tools.",
    description = {
      "%nA merged model for transformers and vLLM, the adapter alone for PEFT, or GGUF for llama.cpp."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble export outputs/quickstart --merged --output exported/quickstart",
      "  nibble export outputs/quickstart --adapter --base-name my/base --output exported/adapter",
      "  nibble export outputs/quickstart --gguf q8_0 --output exported/quickstart.gguf",
      "  nibble export outputs/quickstart --gguf-lora f16 --output exported/adapter.gguf"
    })
final class ExportCommand implements Callable<Integer> {
  @Mixin private RunArguments run = new RunArguments();

  @ArgGroup(multiplicity = "1")
  private Form form = new Form();

  /** The form to write, one of four. */
  static final class Form {
    @Option(
        names = "--merged",
        description =
            "A complete model in Hugging Face's layout, with the adapter merged into its weights.")
    boolean merged;

    @Option(names = "--adapter", description = "The adapter in PEFT's layout.")
    boolean adapter;

    @Option(
        names = "--gguf",
        paramLabel = "TYPE",
        description = "A complete model in one GGUF file: ${COMPLETION-CANDIDATES}.")
    @Nullable GgufType gguf;

    @Option(
        names = "--gguf-lora",
        paramLabel = "TYPE",
        description = "The adapter in a GGUF file: f32 or f16.")
    @Nullable GgufType ggufLora;
  }

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "PATH",
      description = "Folder to write; with --gguf and --gguf-lora, the file.")
  private Path output = Path.of("");

  @Option(
      names = "--onto",
      paramLabel = "WEIGHTS",
      defaultValue = "trained",
      description =
          "Weights that the adapter is merged into: those it was trained against, which for QLoRA are the quantised ones"
              + " (trained, the default), or the base model's original weights (original).")
  private Onto onto = Onto.TRAINED;

  @Option(
      names = "--dtype",
      paramLabel = "DTYPE",
      defaultValue = "bf16",
      converter = FloatTypeConverter.class,
      description = "With --merged: data type of the weights, bf16 (default), f16 or f32.")
  private DType dtype = DType.BF16;

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      converter = ByteSize.Converter.class,
      description = "With --merged: largest size of one file (default ${DEFAULT-VALUE}).")
  private ByteSize maxShardSize = ByteSize.parse("5GB");

  @Option(
      names = "--max-divergence",
      paramLabel = "NATS",
      description =
          "With --merged: fail if the merged model differs more than this from base and adapter (mean KL divergence of the"
              + " next token; default 0.01, or 1 with --onto original).")
  private @Nullable Double maxDivergence;

  @Option(
      names = "--no-check",
      description = "With --merged: do not compare the merged model with base and adapter.")
  private boolean unchecked;

  @Option(
      names = "--base-name",
      paramLabel = "NAME",
      description = "With --adapter: name of the base model to write into adapter_config.json.")
  private @Nullable String baseName;

  @Option(names = "--overwrite", description = "Replace an earlier export at PATH.")
  private boolean overwrite;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    only(form.merged, "--merged", "--dtype", "--max-shard-size", "--max-divergence", "--no-check");
    only(form.merged || form.gguf != null, "--merged or --gguf", "--onto");
    only(form.adapter, "--adapter", "--base-name");
    ModelSource source = run.read();
    ExportFormat format = format();
    try (Console console = Console.standard()) {
      ExportReport report = new ExportReport(source.recipe(), format, output, console);
      Exporter exporter = Nibble.reportingTo(report).exporter(source);
      if (overwrite) {
        exporter.overwrite(format, output);
      } else {
        exporter.write(format, output);
      }
    }
    return ExitCode.OK;
  }

  /** An option that would do nothing is an error. */
  private void only(boolean there, String mode, String... options) {
    for (String option : options) {
      if (!there && spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            spec.commandLine(), "%s works only with %s".formatted(option, mode));
      }
    }
  }

  private ExportFormat format() {
    if (form.adapter) {
      return new ExportFormat.Adapter(Optional.ofNullable(baseName));
    }
    if (form.gguf != null) {
      return new ExportFormat.Gguf(form.gguf, onto);
    }
    if (form.ggufLora != null) {
      return new ExportFormat.GgufLora(form.ggufLora);
    }
    return new ExportFormat.Merged(onto, dtype, maxShardSize.bytes(), largestDivergence());
  }

  /** Empty: not to be checked. */
  private Optional<Double> largestDivergence() {
    if (unchecked) {
      return Optional.empty();
    }
    if (maxDivergence != null) {
      return Optional.of(maxDivergence);
    }
    return Optional.of(onto.usualDivergence());
  }
}
