import OrderedJSON
import Testing
import Training

private struct ScheduleCase: CustomTestStringConvertible {
    let json: JSONValue
    var testDescription: String {
        "\(json["type"]?.stringValue ?? "") \(json["total"] ?? .null)/\(json["warmup"] ?? .null) "
            + "\(json["kwargs"] ?? [:])"
    }

    static func all(_ part: String) -> [ScheduleCase] {
        (try? Golden.json("schedules.json")[part]?.arrayValue?.map(ScheduleCase.init)) ?? []
    }

    var keywords: [String: SchedulerOptions.Value] {
        var result: [String: SchedulerOptions.Value] = [:]
        for (name, value) in json["kwargs"]?.objectValue ?? [:] {
            if let text = value.stringValue {
                result[name] = .text(text)
            } else if let flag = value.boolValue {
                result[name] = .flag(flag)
            } else if let number = value.doubleValue {
                result[name] = .number(number)
            }
        }
        return result
    }
}

struct LearningRateScheduleTests {
    @Test func `the golden file holds every kind`() {
        let types = Set(
            (ScheduleCase.all("steps") + ScheduleCase.all("metrics"))
                .compactMap { $0.json["type"]?.stringValue })
        #expect(types == Set(SchedulerType.allCases.map(\.rawValue)))
    }

    @Test(arguments: ScheduleCase.all("steps"))
    fileprivate func `rates equal transformers'`(_ golden: ScheduleCase) throws {
        let base = try #require(golden.json["base"]?.doubleValue)
        let schedule = try LearningRateSchedule(
            type: #require(SchedulerType(rawValue: golden.json["type"]?.stringValue ?? "")),
            warmupSteps: #require(golden.json["warmup"]?.intValue),
            trainingSteps: #require(golden.json["total"]?.intValue), baseLearningRate: base,
            keywords: golden.keywords)
        for (step, rate) in try #require(golden.json["rates"]?.doubles).enumerated() {
            let value = base * schedule.factor(step)
            #expect(
                isClose(value, rate, relative: 1e-12, absolute: 1e-17), "step \(step)")
        }
    }

    @Test(arguments: ScheduleCase.all("metrics"))
    fileprivate func `metric-driven rates equal torch's and transformers'`(
        _ golden: ScheduleCase
    ) throws {
        let base = try #require(golden.json["base"]?.doubleValue)
        var schedule = try MetricDrivenSchedule(
            type: #require(SchedulerType(rawValue: golden.json["type"]?.stringValue ?? "")),
            initialRates: [base], keywords: golden.keywords)
        var rates = [base]
        let expected = try #require(golden.json["rates"]?.doubles)
        for (index, metric) in try #require(golden.json["metrics"]?.doubles).enumerated() {
            schedule.step(metric, rates: &rates)
            #expect(isClose(rates[0], expected[index], relative: 1e-12), "metric \(index)")
        }
    }

    @Test func `unknown and impossible options are refused`() {
        func message(_ type: SchedulerType, _ keywords: [String: SchedulerOptions.Value]) -> String
        {
            do {
                _ = try SchedulerOptions(type, keywords, baseLearningRate: 5e-5)
                return ""
            } catch { return "\(error)" }
        }
        let owner = "SentenceTransformerTrainingArguments: lr_scheduler_kwargs: "
        #expect(
            message(.cosine, ["num_cycle": .number(1)])
                == owner + "'cosine' has no option 'num_cycle'; it takes num_cycles")
        #expect(
            message(.linear, ["power": .number(1)])
                == owner + "'linear' has no option 'power'; it takes none")
        #expect(
            message(.cosineWithMinLR, [:])
                == owner + "'cosine_with_min_lr' needs min_lr or min_lr_rate; set one of them")
        #expect(message(.polynomial, ["lr_end": .number(1)]).contains("must be smaller"))
        #expect(
            message(
                .warmupStableDecay, ["num_decay_steps": .number(1), "decay_type": .text("log")])
                == owner + "decay_type is 'log'; use one of linear, cosine, 1-sqrt")
        #expect(message(.cosine, ["num_cycles": .text("x")]).contains("must be a number"))
        #expect(message(.cosine, ["num_cycles": .number(.infinity)]).contains("finite"))
    }
}
