package dev.nibble.trainer.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * What a language model should beat: multinomial logistic regression on the counts of lower-cased
 * words, trained by Tribuo on the same rows. A text without a known word gets the first label in
 * alphabetical order.
 */
public final class BagOfWordsBaseline {
  /** As reports name it. */
  public static final String NAME = "logistic regression on bag of words (Tribuo)";

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");
  private static final double LEARNING_RATE = 0.5;
  private static final int EPOCHS = 5;
  private static final LabelFactory FACTORY = new LabelFactory();

  /** Kept here because the log manager forgets loggers that nobody holds. */
  private static final Logger TRIBUO = Logger.getLogger("org.tribuo");

  private final Model<Label> model;
  private final String fallback;

  private BagOfWordsBaseline(Model<Label> model, String fallback) {
    this.model = model;
    this.fallback = fallback;
  }

  /**
   * Trains on rows.
   *
   * @param seed of the order in which rows are visited
   * @throws EvaluationException when the rows have fewer than two labels, or no words
   */
  public static BagOfWordsBaseline train(List<LabeledText> rows, long seed) {
    TRIBUO.setLevel(Level.SEVERE);
    MutableDataset<Label> dataset =
        new MutableDataset<>(new SimpleDataSourceProvenance("rows", FACTORY), FACTORY);
    for (LabeledText row : rows) {
      Example<Label> example = example(row.text(), row.label());
      if (example.size() > 0) {
        dataset.add(example);
      }
    }
    if (dataset.getOutputs().size() < 2) {
      throw new EvaluationException(
          "a classifier needs rows of two labels or more; %d rows with words have %d"
              .formatted(dataset.size(), dataset.getOutputs().size()));
    }
    String fallback = rows.stream().map(LabeledText::label).min(String::compareTo).orElseThrow();
    return new BagOfWordsBaseline(
        new LinearSGDTrainer(
                new LogMulticlass(), new AdaGrad(LEARNING_RATE), EPOCHS, dataset.size(), 1, seed)
            .train(dataset),
        fallback);
  }

  /** Classifies each text and counts the right ones. */
  public Accuracy measure(List<LabeledText> rows) {
    List<Answer> answers = new ArrayList<>();
    for (LabeledText row : rows) {
      answers.add(new Answer(row.text(), row.label(), classify(row.text())));
    }
    return Accuracy.of(answers);
  }

  /** The most likely label. */
  public String classify(String text) {
    Example<Label> example = example(text, fallback);
    boolean known = false;
    for (var feature : example) {
      known |= model.getFeatureIDMap().getID(feature.getName()) >= 0;
    }
    return known ? model.predict(example).getOutput().getLabel() : fallback;
  }

  private static Example<Label> example(String text, String label) {
    Map<String, Integer> counts = new TreeMap<>();
    Matcher words = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (words.find()) {
      counts.merge(words.group(), 1, Integer::sum);
    }
    return new ArrayExample<>(
        new Label(label),
        counts.keySet().toArray(String[]::new),
        counts.values().stream().mapToDouble(Integer::doubleValue).toArray());
  }
}
