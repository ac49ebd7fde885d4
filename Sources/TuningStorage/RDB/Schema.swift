// The tables of Optuna 5.0, letter for letter as SQLAlchemy makes them, so that Python's Optuna,
// its command line and optuna-dashboard open our databases. OptunaSchemaTests compares them with
// what Python makes.

import Tuning

package enum Schema {
    /// The alembic revision of this schema, and those before it, newest first.
    package static let revision = "v3.2.0.a"
    static let olderRevisions = [
        "v3.0.0.d", "v3.0.0.c", "v3.0.0.b", "v3.0.0.a", "v2.6.0.a", "v2.4.0.a", "v1.3.0.a",
        "v1.2.0.a", "v0.9.0.a",
    ]
    /// Row of `version_info`: the number of the tables, and the release that made them.
    static let version = 12
    static let libraryVersion = "5.0.0"

    static let tables = [
        "studies", "version_info", "study_directions", "study_user_attributes",
        "study_system_attributes", "trials", "trial_user_attributes", "trial_system_attributes",
        "trial_params", "trial_values", "trial_intermediate_values", "trial_heartbeats",
    ]

    /// Statements that make what is not there yet.
    static func creation(_ dialect: SQLDialect) -> [String] {
        let key = dialect == .sqlite ? "INTEGER NOT NULL" : "SERIAL NOT NULL"
        let real = dialect == .sqlite ? "FLOAT" : "FLOAT(53)"
        let time = dialect == .sqlite ? "DATETIME" : "TIMESTAMP WITHOUT TIME ZONE"
        let quotedKey = dialect == .sqlite ? "\"key\"" : "key"
        func label(_ type: String, _ width: Int) -> String {
            dialect == .sqlite ? "VARCHAR(\(width))" : type
        }
        func attributes(_ table: String, of owner: String, _ owners: String) -> String {
            let singular = String(table.dropLast())
            return """
                CREATE TABLE IF NOT EXISTS \(table) (
                	\(singular)_id \(key), 
                	\(owner)_id INTEGER, 
                	\(quotedKey) VARCHAR(512), 
                	value_json TEXT, 
                	PRIMARY KEY (\(singular)_id), 
                	UNIQUE (\(owner)_id, \(quotedKey)), 
                	FOREIGN KEY(\(owner)_id) REFERENCES \(owners) (\(owner)_id)
                )
                """
        }
        return types(dialect) + [
            """
            CREATE TABLE IF NOT EXISTS studies (
            	study_id \(key), 
            	study_name VARCHAR(512) NOT NULL, 
            	PRIMARY KEY (study_id)
            )
            """,
            "CREATE UNIQUE INDEX IF NOT EXISTS ix_studies_study_name ON studies (study_name)",
            """
            CREATE TABLE IF NOT EXISTS version_info (
            	version_info_id INTEGER NOT NULL, 
            	schema_version INTEGER, 
            	library_version VARCHAR(256), 
            	PRIMARY KEY (version_info_id), 
            	CHECK (version_info_id=1)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS study_directions (
            	study_direction_id \(key), 
            	direction \(label("studydirection", 8)) NOT NULL, 
            	study_id INTEGER NOT NULL, 
            	objective INTEGER NOT NULL, 
            	PRIMARY KEY (study_direction_id), 
            	UNIQUE (study_id, objective), 
            	FOREIGN KEY(study_id) REFERENCES studies (study_id)
            )
            """,
            attributes("study_user_attributes", of: "study", "studies"),
            attributes("study_system_attributes", of: "study", "studies"),
            """
            CREATE TABLE IF NOT EXISTS trials (
            	trial_id \(key), 
            	number INTEGER, 
            	study_id INTEGER, 
            	state \(label("trialstate", 8)) NOT NULL, 
            	datetime_start \(time), 
            	datetime_complete \(time), 
            	PRIMARY KEY (trial_id), 
            	FOREIGN KEY(study_id) REFERENCES studies (study_id)
            )
            """,
            "CREATE INDEX IF NOT EXISTS ix_trials_study_id ON trials (study_id)",
            attributes("trial_user_attributes", of: "trial", "trials"),
            attributes("trial_system_attributes", of: "trial", "trials"),
            """
            CREATE TABLE IF NOT EXISTS trial_params (
            	param_id \(key), 
            	trial_id INTEGER, 
            	param_name VARCHAR(512), 
            	param_value \(real), 
            	distribution_json TEXT, 
            	PRIMARY KEY (param_id), 
            	UNIQUE (trial_id, param_name), 
            	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS trial_values (
            	trial_value_id \(key), 
            	trial_id INTEGER NOT NULL, 
            	objective INTEGER NOT NULL, 
            	value \(real), 
            	value_type \(label("trialvaluetype", 7)) NOT NULL, 
            	PRIMARY KEY (trial_value_id), 
            	UNIQUE (trial_id, objective), 
            	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS trial_intermediate_values (
            	trial_intermediate_value_id \(key), 
            	trial_id INTEGER NOT NULL, 
            	step INTEGER NOT NULL, 
            	intermediate_value \(real), 
            	intermediate_value_type \(label("trialintermediatevaluetype", 7)) NOT NULL, 
            	PRIMARY KEY (trial_intermediate_value_id), 
            	UNIQUE (trial_id, step), 
            	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS trial_heartbeats (
            	trial_heartbeat_id \(key), 
            	trial_id INTEGER NOT NULL, 
            	heartbeat \(time) NOT NULL, 
            	PRIMARY KEY (trial_heartbeat_id), 
            	UNIQUE (trial_id), 
            	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
            )
            """,
        ]
    }

    static let alembicTable = """
        CREATE TABLE IF NOT EXISTS alembic_version (
        	version_num VARCHAR(32) NOT NULL, 
        	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
        )
        """

    /// PostgreSQL's enumerations; CREATE TYPE knows no IF NOT EXISTS.
    private static func types(_ dialect: SQLDialect) -> [String] {
        guard dialect == .postgresql else { return [] }
        let types = [
            ("studydirection", "'NOT_SET', 'MINIMIZE', 'MAXIMIZE'"),
            ("trialstate", "'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'"),
            ("trialvaluetype", "'FINITE', 'INF_POS', 'INF_NEG'"),
            ("trialintermediatevaluetype", "'FINITE', 'INF_POS', 'INF_NEG', 'NAN'"),
        ]
        return types.map { name, labels in
            """
            DO $$ BEGIN
                CREATE TYPE \(name) AS ENUM (\(labels));
            EXCEPTION WHEN duplicate_object THEN NULL;
            END $$
            """
        }
    }

    // MARK: Opening

    /// Makes the tables if they are missing, then checks that they are of this schema.
    static func open(_ connection: any SQLConnection, _ options: RDBStorage.Options) throws {
        if !options.skipsTableCreation, try !isComplete(connection) { try create(connection) }
        if options.skipsCompatibilityCheck { return }
        let tables = try tableNames(connection)
        guard tables.contains("alembic_version"), tables.contains("version_info") else {
            throw SQLError(
                .malformed,
                "it has no tables of Optuna; a script's create_study makes them, unless "
                    + "skip_table_creation is set")
        }
        try checkRevision(connection)
    }

    private static func tableNames(_ connection: any SQLConnection) throws -> Set<String> {
        var names: Set<String> = []
        try connection.query(connection.dialect.tableNames) { names.insert(try $0.text(0)) }
        return names
    }

    /// Whether nothing has to be made: the usual case, which writes nothing.
    private static func isComplete(_ connection: any SQLConnection) throws -> Bool {
        let names = try tableNames(connection)
        guard names.isSuperset(of: tables), names.contains("alembic_version") else { return false }
        return try connection.first("SELECT 1 FROM version_info, alembic_version") { _ in } != nil
    }

    private static func create(_ connection: any SQLConnection) throws {
        try connection.transaction(.durable) {
            if connection.dialect == .postgresql {
                // One worker at a time; the number is ours alone.
                try connection.query("SELECT pg_advisory_xact_lock(7236840133)") { _ in }
            }
            // A database of the time before alembic keeps its number, and is refused below.
            let isNew = try !tableNames(connection).contains("version_info")
            for statement in creation(connection.dialect) { try connection.execute(statement) }
            let known = try connection.first(
                "SELECT schema_version FROM version_info WHERE version_info_id = 1"
            ) { try $0.int(0) }
            if known == nil {
                try connection.execute(
                    "INSERT INTO version_info (version_info_id, schema_version, library_version) "
                        + "VALUES (1, $1, $2)", [.int(version), .text(libraryVersion)])
            }
            try connection.execute(alembicTable)
            let hasRevision =
                try connection.first("SELECT version_num FROM alembic_version") { _ in } != nil
            if !hasRevision {
                let isCurrent = isNew || known == nil || known == version
                try connection.execute(
                    "INSERT INTO alembic_version (version_num) VALUES ($1)",
                    [.text(isCurrent ? revision : olderRevisions[olderRevisions.count - 1])])
            }
        }
    }

    private static func checkRevision(_ connection: any SQLConnection) throws {
        let found = try connection.first("SELECT version_num FROM alembic_version") {
            try $0.text(0)
        }
        guard found != revision else { return }
        let maker = try connection.first("SELECT library_version FROM version_info") {
            try $0.optionalText(0)
        }
        let tables =
            "its tables are of schema \(found ?? "?") (made by optuna \((maker ?? nil) ?? "?"))"
        if let found, !olderRevisions.contains(found) {
            throw SQLError(
                .other,
                "\(tables), which is newer than \(revision), the newest that this st-host knows; "
                    + "use a newer st-host, or a copy of the study made by that optuna")
        }
        throw SQLError(
            .other,
            "\(tables), older than \(revision); run `optuna storage upgrade --storage URL` with "
                + "Optuna 5 (pip install optuna), after making a copy")
    }
}
