package dev.nibble.trainer.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.baseline.DummyClassifierTrainer;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/** Scores of answers that are labels, by Tribuo's {@link LabelEvaluator}. */
final class LabelScores {
  private static final LabelFactory FACTORY = new LabelFactory();

  private LabelScores() {}

  /** Exact matches. An answer that no question expects gets a label of its own, and is wrong. */
  static Accuracy of(List<Answer> answers) {
    TreeSet<String> expected = new TreeSet<>();
    answers.forEach(a -> expected.add(a.expected()));
    String unknown = unlike(expected);

    MutableDataset<Label> asked =
        new MutableDataset<>(new SimpleDataSourceProvenance("questions", FACTORY), FACTORY);
    List<Prediction<Label>> predictions = new ArrayList<>();
    int unknownAnswers = 0;
    for (Answer a : answers) {
      boolean known = expected.contains(a.given());
      unknownAnswers += known ? 0 : 1;
      Example<Label> example = example(a.expected());
      asked.add(example);
      predictions.add(new Prediction<>(new Label(known ? a.given() : unknown), 1, example));
    }
    asked.add(example(unknown));

    // The evaluator takes the set of labels from a model; this one is never asked for a prediction.
    Model<Label> labels = DummyClassifierTrainer.createConstantTrainer(unknown).train(asked);
    LabelEvaluation evaluation =
        new LabelEvaluator().evaluate(labels, predictions, asked.getSourceProvenance());
    Map<String, Accuracy.Category> categories = new TreeMap<>();
    for (String name : expected) {
      Label label = new Label(name);
      categories.put(
          name,
          new Accuracy.Category(
              (int) evaluation.tp(label), (int) evaluation.getConfusionMatrix().support(label)));
    }
    return new Accuracy(
        evaluation.accuracy(),
        answers.size(),
        new Accuracy.Labels(unknownAnswers, categories),
        answers);
  }

  /** A label that is none of the others. */
  private static String unlike(Set<String> others) {
    String label = "(none of these)";
    while (others.contains(label)) {
      label = "(" + label + ")";
    }
    return label;
  }

  private static Example<Label> example(String label) {
    return new ArrayExample<>(new Label(label), new String[] {"1"}, new double[] {1});
  }
}
