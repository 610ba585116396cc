"""Names of what learns from data, apart from models."""

_PLAIN = """
StandardScaler MinMaxScaler RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer PCA TruncatedSVD KernelPCA
IncrementalPCA SparsePCA FastICA NMF FactorAnalysis LatentDirichletAllocation SimpleImputer KNNImputer IterativeImputer
Imputer TfidfVectorizer CountVectorizer TfidfTransformer Tokenizer VarianceThreshold KBinsDiscretizer Normalization
TextVectorization UMAP
"""
PLAIN = frozenset(_PLAIN.split())
"""They learn from inputs alone."""

_LABELLED = """
SelectKBest SelectPercentile SelectFromModel SelectFpr SelectFdr RFE RFECV SequentialFeatureSelector
GenericUnivariateSelect TargetEncoder BorutaPy SMOTE SMOTEN SMOTENC BorderlineSMOTE SVMSMOTE KMeansSMOTE ADASYN
RandomOverSampler SMOTETomek SMOTEENN
"""
LABELLED = frozenset(_LABELLED.split())
"""They learn from the targets, or make rows out of several others."""

_IGNORED = "LabelEncoder OneHotEncoder OrdinalEncoder LabelBinarizer MultiLabelBinarizer"
IGNORED = frozenset(_IGNORED.split())
"""They only number what they see: nothing of one row helps to predict another."""

_STOCHASTIC = """
MLP RandomForest ExtraTree GradientBoosting HistGradientBoosting AdaBoost Bagging DecisionTree SGD Perceptron
PassiveAggressive KMeans MiniBatch GaussianMixture LinearSVC RandomizedSearchCV BernoulliRBM
"""
STOCHASTIC = tuple(_STOCHASTIC.split())
"""How the names of scikit-learn's estimators begin that draw random numbers."""
