package dev.nibble.recipes.recipe;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.compute.tensor.DType;
import dev.nibble.data.chat.MessageFields;
import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.quant.WeightFormat;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.trainer.optim.OptimizerSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Description of a run. Checked, with every default filled in and input paths absolute. {@code
 * docs/recipes.md} documents the keys; it is generated from the table that reads them.
 *
 * @param model the base model and which of its weights are trained
 * @param data the data it is trained on
 * @param training length of the run and size of its batches
 * @param optimization optimizer and learning rate
 * @param evaluation measurements during and after training
 * @param output the run's folder and what is saved in it
 * @param machine kernel set and its options
 */
public record Recipe(
    Model model,
    Data data,
    Training training,
    Optimization optimization,
    Evaluation evaluation,
    Output output,
    Machine machine) {

  /**
   * The base model and which of its weights are trained.
   *
   * @param base folder of the base model
   * @param init source of its weights
   * @param adapter which weights are trained
   * @param quantization the format of its frozen weights; empty leaves them as stored
   * @param plan the file that gives each of them a format of its own
   * @param adapterSource the adapter, unless every weight trains
   */
  public record Model(
      Path base,
      InitWeights init,
      Adapter adapter,
      Optional<WeightFormat> quantization,
      Optional<Path> plan,
      Optional<AdapterSource> adapterSource) {}

  /** Weights that are trained. */
  public enum Adapter {
    /** LoRA on a base in four bits. */
    QLORA,
    /** LoRA on a base in full precision. */
    LORA,
    /** IA3, on a base in full precision or in four bits. */
    IA3,
    /** VeRA, on a base in full precision or in four bits. */
    VERA,
    /** No adapter: every weight. */
    NONE
  }

  /** Source of the base's weights. */
  public enum InitWeights {
    /** Its safetensors files. */
    CHECKPOINT,
    /** A random start from config.json alone. */
    RANDOM
  }

  /** The adapter that a run trains. */
  public sealed interface AdapterSource {

    /**
     * A new adapter.
     *
     * @param spec its description
     */
    record New(AdapterSpec spec) implements AdapterSource {}

    /**
     * An adapter that continues from another, with its shape.
     *
     * @param folder in PEFT's layout
     */
    record Continued(Path folder) implements AdapterSource {}

    /** The description of a new adapter; empty for one that is continued. */
    default Optional<AdapterSpec> described() {
      return this instanceof New n ? Optional.of(n.spec()) : Optional.empty();
    }

    /** The folder of the adapter to start from. */
    default Optional<Path> continueFrom() {
      return this instanceof Continued c ? Optional.of(c.folder()) : Optional.empty();
    }
  }

  /**
   * The training and validation data.
   *
   * @param train training data
   * @param validation validation data of its own
   * @param validationSize part (below 1) or number (from 1) of training samples held out for
   *     validation
   * @param sequenceLength the most tokens of a sample
   * @param packing whether several samples share a row of the batch
   * @param excess treatment of longer samples
   * @param trainOnInputs whether prompts are trained on too
   * @param trainOnEmptyAnswers whether answers without text are trained on
   * @param shuffle whether samples are shuffled anew in every epoch
   * @param maxBadRows part (below 1) or number (from 1) of rows that may be left out because they
   *     cannot be used
   * @param chat rendering of conversations
   */
  public record Data(
      List<Dataset> train,
      List<Dataset> validation,
      double validationSize,
      int sequenceLength,
      boolean packing,
      ExcessLength excess,
      boolean trainOnInputs,
      boolean trainOnEmptyAnswers,
      boolean shuffle,
      double maxBadRows,
      Chat chat) {}

  /**
   * Rendering of conversations.
   *
   * @param template the chat template, where the recipe names one
   * @param variables further variables of the template
   * @param lastOnly whether only the last answer of a conversation is trained on
   */
  public record Chat(
      Optional<TemplateChoice> template, Map<String, Object> variables, boolean lastOnly) {}

  /** Kinds of rows that a dataset can hold. */
  public enum Format {
    /** Instruction, input and output. */
    ALPACA,
    /** A prompt and what follows it. */
    PROMPT_COMPLETION,
    /** Plain text. */
    COMPLETION,
    /** A conversation. */
    CHAT_TEMPLATE,
    /** The same. */
    MESSAGES,
    /** A conversation with ShareGPT's names. */
    SHAREGPT;

    /** Whether rows hold conversations. */
    public boolean isConversation() {
      return this == CHAT_TEMPLATE || this == MESSAGES || this == SHAREGPT;
    }

    /** Whether rows are one question and its answer, which a chat template may write too. */
    public boolean isQuestion() {
      return this == ALPACA || this == PROMPT_COMPLETION;
    }
  }

  /**
   * A dataset.
   *
   * @param path file or folder
   * @param format kind of its rows
   * @param split the split, of a folder with several
   * @param limit the most rows, the first so many; empty for all
   * @param prompt template of an alpaca prompt
   * @param columns names of the columns of rows with one question and its answer
   * @param textColumn name of the column of plain text
   * @param messages columns and fields of conversations
   */
  public record Dataset(
      Path path,
      Format format,
      Optional<String> split,
      Optional<Integer> limit,
      Optional<PromptTemplate> prompt,
      Alpaca.Columns columns,
      String textColumn,
      Messages messages) {

    /** The same with a prompt where it has none of its own. */
    Dataset withDefaultPrompt(Optional<PromptTemplate> other) {
      return new Dataset(
          path, format, split, limit, prompt.or(() -> other), columns, textColumn, messages);
    }
  }

  /**
   * Conversations of a dataset.
   *
   * @param fields names of columns, fields and roles
   * @param trainedRoles roles whose messages are trained on
   * @param weightField field of a message that excludes it when it is 0
   */
  public record Messages(MessageFields fields, List<String> trainedRoles, String weightField) {
    /** Names that rows of this format usually have. */
    static MessageFields usual(Format format) {
      return format == Format.SHAREGPT ? MessageFields.SHAREGPT : MessageFields.MESSAGES;
    }
  }

  /**
   * Length of the run and size of its batches.
   *
   * @param microBatchSize rows of sequence_len tokens that one pass takes
   * @param accumulation micro-batches of one step
   * @param epochs passes over the data at most; empty when only the steps are limited
   * @param maxSteps steps at most; empty when only the epochs are limited
   * @param mostSkipped steps that may be skipped because their loss or gradient is not finite
   * @param checkpointing whether activations are computed again instead of kept; AUTO for those
   *     that do not fit
   * @param embeddingNoise alpha of NEFTune; 0 for none
   * @param seed of everything random
   */
  public record Training(
      int microBatchSize,
      int accumulation,
      Optional<Integer> epochs,
      Optional<Integer> maxSteps,
      int mostSkipped,
      AutoFlag checkpointing,
      double embeddingNoise,
      long seed) {}

  /**
   * Updates of the weights: optimizer and learning rate.
   *
   * @param optimizer the update rule
   * @param pagedMemory bytes of the optimizer's state that stay where kernels work, the rest lying
   *     in pages elsewhere; empty when all of it stays
   * @param learningRate of each step
   * @param maxGradNorm gradients are scaled down to this norm; 0 for never
   */
  public record Optimization(
      OptimizerSettings optimizer,
      Optional<Long> pagedMemory,
      LearningRate learningRate,
      double maxGradNorm) {}

  /**
   * The learning rate over a run.
   *
   * @param peak its highest value
   * @param schedule its shape after warm-up
   * @param warmup length of its rise
   * @param loraPlus rates of an adapter's parts, if they differ
   */
  public record LearningRate(
      double peak, Schedule schedule, Warmup warmup, Optional<LoraPlus> loraPlus) {}

  /** Steps in which the learning rate rises from 0 to its peak. */
  public sealed interface Warmup {
    /** A part of the run, rounded up to whole steps. */
    record Part(double ratio) implements Warmup {}

    /** A number of steps. */
    record Steps(int count) implements Warmup {}
  }

  /**
   * Learning rates of LoRA+.
   *
   * @param ratio of the rate of B and the magnitudes to the learning rate
   * @param embeddingRate the peak for adapted embeddings
   */
  public record LoraPlus(double ratio, double embeddingRate) {}

  /** Shape of the learning rate after warm-up. */
  public enum Schedule {
    /** Not at all. */
    CONSTANT,
    /** In a straight line to 0. */
    LINEAR,
    /** Along half a cosine to 0. */
    COSINE
  }

  /**
   * Measurements during and after training.
   *
   * @param evalOnStart whether the validation loss is measured before the first step
   * @param evalSteps steps between validations; 0 for only at the end
   * @param patience evaluations in a row without a lower loss after which the run ends; 0 for never
   * @param answers accuracy on a test set before and after
   */
  public record Evaluation(
      boolean evalOnStart, int evalSteps, int patience, Optional<AnswerEval> answers) {}

  /**
   * Accuracy of generated answers on rows that are not trained on.
   *
   * @param dataset the rows
   * @param maxNewTokens the longest answer
   * @param baseline whether a logistic regression on words is measured beside
   */
  public record AnswerEval(Dataset dataset, int maxNewTokens, boolean baseline) {}

  /**
   * The run's folder and what is saved in it.
   *
   * @param folder the run's folder
   * @param overwrite whether an earlier run in the folder is replaced
   * @param saveSteps steps between checkpoints; 0 for none but those of the best validation, of an
   *     interruption and of the end
   * @param saveLimit the most checkpoints kept besides the best
   * @param best whether the weights of the best validation are the result, and not the last
   * @param saveDType element type of saved weights
   * @param loggingSteps steps between log lines
   */
  public record Output(
      Path folder,
      boolean overwrite,
      int saveSteps,
      int saveLimit,
      boolean best,
      DType saveDType,
      int loggingSteps) {}
}
