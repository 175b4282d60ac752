package dev.nibble.api.event;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.Roofline;
import dev.nibble.data.samples.DataReport;
import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.export.LogitAgreement;
import dev.nibble.trainer.export.MergedCheckpoint;
import dev.nibble.trainer.export.gguf.GgufReport;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.train.Report;
import dev.nibble.trainer.train.TrainingPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Something that happened while Nibble worked, told in the order in which it happened and by the
 * thread that works. A listener that throws ends the work with its exception.
 */
public sealed interface Event {

  /**
   * A kernel set was chosen and opened.
   *
   * @param name such as {@code cpu} or {@code cuda}
   * @param description the set, its processor or card, and what it computes with
   * @param skipped names of faster sets that cannot run here
   */
  record KernelsOpened(String name, String description, List<String> skipped) implements Event {
    /** Copies the list. */
    public KernelsOpened {
      skipped = List.copyOf(skipped);
    }

    /** The event of a set that was chosen for what a recipe asks for. */
    public static KernelsOpened of(String asked, KernelSet set) {
      return new KernelsOpened(
          set.name(), KernelSets.describe(set), KernelSets.skipped(asked, set));
    }
  }

  /**
   * The chat template that conversations are written with.
   *
   * @param source where it comes from
   * @param endOfAnswer the text that it writes after an answer
   * @param stopToken the special token in that text, at which generation stops; empty when there is
   *     none, so that generation may not stop there
   * @param stopTokenOfCalls the special token that ends a turn of tool calls, at which generation
   *     stops too; empty where that is the same
   * @param endLearned whether that text is trained on; false for a template whose {@code {%
   *     generation %}} leaves it out, with which the model does not learn to stop
   */
  record TemplateFound(
      String source,
      String endOfAnswer,
      Optional<String> stopToken,
      Optional<String> stopTokenOfCalls,
      boolean endLearned)
      implements Event {}

  /**
   * All rows were read and counted.
   *
   * @param train the training data
   * @param validation the data held out for validation
   */
  record DataRead(DataReport train, Optional<DataReport> validation) implements Event {}

  /** The questions of the answer evaluation were read. */
  record QuestionsRead(int count) implements Event {}

  /**
   * The base model was found.
   *
   * @param folder of its files
   * @param weights all of them
   * @param quantized whether its files hold quantised weights already
   */
  record ModelFound(Path folder, long weights, boolean quantized) implements Event {}

  /**
   * It was decided which layers keep their activations, and which recompute them in backward.
   *
   * @param layers of the model
   */
  record LayersChosen(Checkpointing checkpointing, int layers) implements Event {}

  /**
   * Everything that a training run needs was built.
   *
   * @param trainedWeights weights that train
   * @param modelWeights weights of the base model
   * @param bytes of tensors
   * @param bytesByGroup the same by what they hold, the largest first
   * @param layers which layers keep their activations
   * @param optimizerBytes of the optimizer's state, wherever it lies
   * @param plan steps and what happens between them
   * @param step the average step
   */
  record RunPrepared(
      long trainedWeights,
      long modelWeights,
      long bytes,
      Map<String, Long> bytesByGroup,
      LayersChosen layers,
      long optimizerBytes,
      TrainingPlan plan,
      StepSize step)
      implements Event {}

  /**
   * What a step takes on average.
   *
   * @param microBatches of it
   * @param samples in them
   * @param tokens of the samples
   */
  record StepSize(double microBatches, double samples, double tokens) {}

  /** The training loop begins: from now on a stop request ends it with a checkpoint. */
  record LoopStarted() implements Event {}

  /** A report of the training loop: a step, an evaluation, a checkpoint. */
  record LoopReport(Report report) implements Event {}

  /** The training loop has ended, or failed. */
  record LoopEnded() implements Event {}

  /**
   * The training loop's kernels were timed.
   *
   * @param steps that were timed
   * @param peak what the machine can do at most
   */
  record KernelsProfiled(KernelTimes times, long steps, Roofline peak) implements Event {}

  /**
   * The run's result was saved.
   *
   * @param folder of its files
   * @param step after which its weights were so
   * @param best the evaluation with the lowest loss, if there was one
   */
  record ResultSaved(Path folder, long step, TrainerState.Best best) implements Event {}

  /** The accuracy of answers was measured. */
  record AnswersMeasured(Occasion occasion, Accuracy accuracy) implements Event {}

  /** Subjects of a measurement of answers. */
  enum Occasion {
    /** The model before training. */
    BEFORE,
    /** The model after training. */
    AFTER,
    /** A simple classifier trained on the same rows. */
    BASELINE
  }

  /** An adapter was merged into its base. */
  record ModelMerged(MergedCheckpoint.Result result) implements Event {}

  /**
   * A merged model was compared with base and adapter.
   *
   * @param bound the largest divergence that is allowed, in nats
   */
  record AgreementMeasured(LogitAgreement agreement, double bound) implements Event {}

  /** A GGUF file was written. */
  record GgufWritten(GgufReport report) implements Event {}

  /** An adapter was written in PEFT's layout. */
  record AdapterWritten(Path folder) implements Event {}

  /**
   * One of several weight formats is about to be measured.
   *
   * @param format its name
   * @param number of it, counted from 1
   * @param formats how many there are
   */
  record FormatBegun(String format, int number, int formats) implements Event {}

  /** A weight format was measured, or could not be. */
  record FormatCompared(ComparedFormat result) implements Event {}

  /** Something is not as it may seem, and the work goes on. */
  record Warned(String text) implements Event {}

  /**
   * The progress of work that takes a while.
   *
   * @param done of {@code total}, in bytes, questions or whatever the activity counts
   * @param total 0 where nothing is counted
   */
  record Working(Activity activity, long done, long total) implements Event {
    /** Work that nothing is counted of. */
    public Working(Activity activity) {
      this(activity, 0, 0);
    }
  }

  /** Kinds of work that take a while. */
  enum Activity {
    /** Plans the memory of a run. */
    PLANNING_MEMORY,
    /** Reads, tokenises and counts rows; the total is not known. */
    READING_ROWS,
    /** Hashes the files of the model and the data, for provenance.json. */
    HASHING_FILES,
    /** Loads, and if need be quantises, the model; counted in bytes of its files. */
    LOADING_MODEL,
    /** Measures the rate of matrix products. */
    MEASURING_PRODUCTS,
    /** Times steps of the model's first layers. */
    TIMING_LAYERS,
    /** Times steps of the whole model. */
    TIMING_STEPS,
    /** Measures the validation loss; counted in batches. */
    VALIDATING,
    /** Asks the questions of the answer evaluation; counted in questions. */
    ASKING_QUESTIONS,
    /** Trains the baseline that answers are compared with. */
    TRAINING_BASELINE,
    /** Merges an adapter into its base; counted in bytes. */
    MERGING,
    /** Compares a model's outputs with those of another; counted in batches. */
    COMPARING,
    /** Fits a model to calibration data; counted in batches that pass a layer, and weights. */
    CALIBRATING,
    /** Quantises a model; counted in bytes. */
    QUANTIZING,
    /** Writes a file; counted in bytes of tensors. */
    WRITING
  }
}
