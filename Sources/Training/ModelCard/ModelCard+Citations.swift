// Where the losses of a training were published, as BibTeX.

extension ModelCard {
    func citationSection() -> String {
        guard !trainingData.isEmpty else { return "" }
        var text = "## Citation\n\n### BibTeX\n" + Self.entry("Sentence Transformers", Self.library)
        for loss in losses {
            if let publication = Self.publications[loss] { text += Self.entry(loss, publication) }
        }
        return text
    }

    private struct Publication {
        var key: String
        var title: String
        var authors: String
        var year: Int
        var url: String
    }

    private static func entry(_ name: String, _ publication: Publication) -> String {
        """

        #### \(name)
        ```bibtex
        @misc{\(publication.key),
            title = {\(publication.title)},
            author = {\(publication.authors)},
            year = {\(publication.year)},
            url = {\(publication.url)},
        }
        ```

        """
    }

    private static let library = Publication(
        key: "reimers-2019-sentence-bert",
        title: "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
        authors: "Nils Reimers and Iryna Gurevych", year: 2019,
        url: "https://arxiv.org/abs/1908.10084")

    private static let contrastivePredictiveCoding = Publication(
        key: "oord2019cpc",
        title: "Representation Learning with Contrastive Predictive Coding",
        authors: "Aaron van den Oord and Yazhe Li and Oriol Vinyals", year: 2019,
        url: "https://arxiv.org/abs/1807.03748")

    private static let tripletLoss = Publication(
        key: "hermans2017defense",
        title: "In Defense of the Triplet Loss for Person Re-Identification",
        authors: "Alexander Hermans and Lucas Beyer and Bastian Leibe", year: 2017,
        url: "https://arxiv.org/abs/1703.07737")

    private static let invariantMapping = Publication(
        key: "hadsell2006dimensionality",
        title: "Dimensionality Reduction by Learning an Invariant Mapping",
        authors: "Raia Hadsell and Sumit Chopra and Yann LeCun", year: 2006,
        url: "https://doi.org/10.1109/CVPR.2006.100")

    private static let publications: [String: Publication] = [
        "MultipleNegativesRankingLoss": contrastivePredictiveCoding,
        "CachedMultipleNegativesRankingLoss": Publication(
            key: "gao2021scaling",
            title: "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
            authors: "Luyu Gao and Yunyi Zhang and Jiawei Han and Jamie Callan", year: 2021,
            url: "https://arxiv.org/abs/2101.06983"),
        "MultipleNegativesSymmetricRankingLoss": contrastivePredictiveCoding,
        "TripletLoss": tripletLoss,
        "BatchAllTripletLoss": tripletLoss,
        "BatchHardTripletLoss": tripletLoss,
        "BatchHardSoftMarginTripletLoss": tripletLoss,
        "BatchSemiHardTripletLoss": tripletLoss,
        "ContrastiveLoss": invariantMapping,
        "OnlineContrastiveLoss": invariantMapping,
        "CoSENTLoss": Publication(
            key: "huang2024cosent",
            title: "CoSENT: Consistent Sentence Embedding via Similarity Ranking",
            authors: "Xiang Huang and Hao Peng and Dongcheng Zou and Zhiwei Liu and Jianxin Li and "
                + "Kay Liu and Jia Wu and Jianlin Su and Philip S. Yu", year: 2024,
            url: "https://doi.org/10.1109/TASLP.2024.3402087"),
        "AnglELoss": Publication(
            key: "li2024aoe",
            title: "AoE: Angle-optimized Embeddings for Semantic Textual Similarity",
            authors: "Xianming Li and Jing Li", year: 2024,
            url: "https://aclanthology.org/2024.acl-long.101/"),
        "MarginMSELoss": Publication(
            key: "hofstaetter2021improving",
            title: "Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge "
                + "Distillation",
            authors: "Sebastian Hofstätter and Sophia Althammer and Michael Schröder and "
                + "Mete Sertkan and Allan Hanbury", year: 2021,
            url: "https://arxiv.org/abs/2010.02666"),
        "MatryoshkaLoss": Publication(
            key: "kusupati2024matryoshka",
            title: "Matryoshka Representation Learning",
            authors: "Aditya Kusupati and Gantavya Bhatt and Aniket Rege and Matthew Wallingford "
                + "and Aditya Sinha and Vivek Ramanujan and William Howard-Snyder and Kaifeng Chen "
                + "and Sham Kakade and Prateek Jain and Ali Farhadi", year: 2024,
            url: "https://arxiv.org/abs/2205.13147"),
        "GISTEmbedLoss": Publication(
            key: "solatorio2024gistembed",
            title: "GISTEmbed: Guided In-sample Selection of Training Negatives for Text Embedding "
                + "Fine-tuning",
            authors: "Aivin V. Solatorio", year: 2024, url: "https://arxiv.org/abs/2402.16829"),
        "MegaBatchMarginLoss": Publication(
            key: "wieting2018paranmt",
            title: "ParaNMT-50M: Pushing the Limits of Paraphrastic Sentence Embeddings with "
                + "Millions of Machine Translations",
            authors: "John Wieting and Kevin Gimpel", year: 2018,
            url: "https://aclanthology.org/P18-1042"),
        "MSELoss": Publication(
            key: "reimers2020multilingual",
            title: "Making Monolingual Sentence Embeddings Multilingual using Knowledge "
                + "Distillation",
            authors: "Nils Reimers and Iryna Gurevych", year: 2020,
            url: "https://arxiv.org/abs/2004.09813"),
    ]
}
